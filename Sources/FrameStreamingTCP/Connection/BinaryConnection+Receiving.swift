internal import FrameStreamingCore
internal import FrameStreamingSystem

/// What comes, and what it means.
extension BinaryConnection {
    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        try life.reading(until: deadline) { () throws(FrameStreamingError) in try self.next(until: deadline) }
    }

    /// What a message means for the owner.
    enum Meaning {
        case message(Message)
        case nothing
        /// The peer ended.
        case end
    }

    /// The next message that is the owner's business; nil when the peer ended. Needs the turn to read.
    func next(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        while true {
            switch try read(until: deadline) {
            case .frame(let message, let sequence):
                try count(sequence)
                if sequence == 1 { noteFirst(message) }
                return message
            case .dropped(let sequence): try count(sequence)
            case .message(let message):
                switch try meaning(of: message) {
                case .message(let message): return message
                case .nothing: continue
                case .end: return nil
                }
            }
        }
    }

    func meaning(of message: WireMessage) throws(FrameStreamingError) -> Meaning {
        switch message {
        case .acknowledgement(let acknowledgement):
            try expect(role == .sender, "an acknowledgement to the side that receives frames")
            numbers.withLock { if !$0.underWay.isEmpty { $0.underWay.removeFirst() } }
            issued?.noteAcknowledgement()
            return .message(.acknowledgement(acknowledgement))
        case .sourceLost(let text):
            try expect(role == .receiver, "news of a source to the side that has it")
            return .message(.sourceLost(text))
        case .sourceRestored:
            try expect(role == .receiver, "news of a source to the side that has it")
            return .message(.sourceRestored)
        case .request(let request):
            try expect(role == .sender, "a request to the side that makes them")
            // One of a later version is passed over.
            return request.request.map { .message(.request($0)) } ?? .nothing
        case .ping(let ping):
            try answer(ping)
            return .nothing
        case .pong(let pong):
            let now = monotonicNow()
            watch.withLock { $0.record(pong, at: now) }
            silence?.withLock { $0.noteAnswer() }
            return .nothing
        case .bye(let bye):
            life.change { $0.goodbye = bye.goodbye }
            return .end
        case .byeAcknowledgement:
            try expect(life.look { $0.hasSaidFarewell }, "an answer to a goodbye that was not said")
            life.change { $0.farewellAnswered = true }
            return .end
        default: throw .violation("a handshake within a stream")
        }
    }

    private func expect(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws(FrameStreamingError) {
        guard condition else { throw .violation(otherwise()) }
    }

    private func count(_ sequence: UInt64) throws(FrameStreamingError) {
        let last = numbers.withLock { numbers in
            defer { if sequence == numbers.lastReceived + 1 { numbers.lastReceived = sequence } }
            return numbers.lastReceived
        }
        try expect(sequence == last + 1, "frame \(sequence) after frame \(last)")
    }

    private func noteFirst(_ message: Message) {
        guard case .frame(_, let info) = message, let arrived = info.arrivalTime else { return }
        watch.withLock { $0.record(firstFrame: info.sendTime?.nanoseconds, arrived: arrived.nanoseconds) }
    }

    private func answer(_ ping: Ping) throws(FrameStreamingError) {
        let now = monotonicNow()
        let pong = Pong(answering: ping, receiveTime: now, sendTime: now)
        do throws(FrameStreamingError) {
            try writer.enqueue(MessageWriter.Outgoing(pong.marshal()), limit: Self.mostPongs)
        } catch {
            // A side that ended its reading may have said more before: that is read first.
            if error.code == .closed { throw error }
        }
    }
}
