internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The receiving half of a binary connection: it reads messages, answers those that concern the
/// connection itself, and returns the others.
struct IncomingMessages: Sendable {
    let role: TCPRole
    let reader: BinaryReader
    let channel: Channel
    let writer: MessageWriter
    let state: ConnectionState
    let clockExchange: ClockExchange
    let silence: SilenceWatch?
    let sent: Monitor<SentFrames>
    /// Sender that listens: its receiver's session.
    let issued: IssuedSession?

    /// PONGs beyond this are dropped, so a peer that asks faster than it reads fills no queue here.
    private static let mostPongs = 16

    /// What a message means for the caller.
    private enum Meaning {
        case message(Message)
        case nothing
        /// The peer has said its last word.
        case end
    }

    /// The next message that is not the connection's own; nil when the peer has ended.
    func next(
        _ turn: borrowing ReadingTurn, until deadline: Deadline
    ) throws(FrameStreamingError) -> Message? {
        while true {
            switch try read(turn, until: deadline) {
            case .frame(let message, let isFirst):
                if isFirst { clockExchange.record(firstFrame: message) }
                return message
            case .dropped: continue
            case .message(let message):
                switch try meaning(of: message) {
                case .message(let message): return message
                case .nothing: continue
                case .end: return nil
                }
            }
        }
    }

    /// Reads on. Meanwhile it asks for the peer's clock and whether the peer is still there, if no
    /// other thread has asked in time.
    private func read(
        _ turn: borrowing ReadingTurn, until deadline: Deadline
    ) throws(FrameStreamingError) -> BinaryReader.Item {
        while true {
            let next = min(try lookAfterSilence(turn) ?? .max, try clockExchange.askIfOverdue())
            let wake = next < .max ? MonotonicTime(nanoseconds: next) : nil
            do throws(FrameStreamingError) {
                return try reader.next(
                    turn, until: wake.map { deadline.earlier(.at($0)) } ?? deadline, takesFrames: !role.isSender)
            } catch {
                guard error.code == .timedOut, let wake, wake <= .now, !deadline.hasPassed else {
                    throw writer.cause(of: error)
                }
            }
        }
    }

    private func lookAfterSilence(_ turn: borrowing ReadingTurn) throws(FrameStreamingError) -> Int64? {
        try silence?.look(waitsForMemory: reader.waitsForMemory(turn))
    }

    /// Takes the messages that have arrived, without waiting, and looks after the connection as
    /// ``next(_:until:)`` does.
    ///
    /// - Returns: What the connection waits for now; nil when the peer has ended.
    func takeArrived(
        _ turn: borrowing ReadingTurn, into messages: inout [Message]
    ) throws(FrameStreamingError) -> WatchedNeeds? {
        var mayRead = true
        while let message = try nextArrived(turn, &mayRead) {
            switch try meaning(of: message) {
            case .message(let message): messages.append(message)
            case .nothing: continue
            case .end: return nil
            }
        }
        let wake = try clockExchange.askIfOverdue()
        let asks = wake < .max ? wake : nil
        let writes = writer.hasWork ? try channel.drive(writer) : nil
        let looks = try lookAfterSilence(turn)
        // One read takes only a part of what a secured stream may have taken from the socket.
        let reads = channel.mayHaveMore ? monotonicNow() : nil
        let lookBy = [reader.due(turn)?.nanoseconds, asks, writes, looks, reads].compactMap { $0 }.min()
        return WatchedNeeds(lookBy: lookBy.map { MonotonicTime(nanoseconds: $0) }, wantsOutput: writes != nil)
    }

    private func nextArrived(
        _ turn: borrowing ReadingTurn, _ mayRead: inout Bool
    ) throws(FrameStreamingError) -> WireMessage? {
        do throws(FrameStreamingError) {
            return try reader.nextArrived(turn, &mayRead)
        } catch {
            throw writer.cause(of: error)
        }
    }

    private func meaning(of message: WireMessage) throws(FrameStreamingError) -> Meaning {
        switch message {
        case .acknowledgement(let acknowledgement):
            try expect(role.isSender, "an acknowledgement to the side that receives frames")
            sent.withLock { $0.acknowledgeOldest() }
            issued?.noteAcknowledgement()
            return .message(.acknowledgement(acknowledgement))
        case .sourceLost(let text):
            try expect(!role.isSender, "news of a source to the side that has the source")
            return .message(.sourceLost(reason: text))
        case .sourceRestored:
            try expect(!role.isSender, "news of a source to the side that has the source")
            return .message(.sourceRestored)
        case .request(let request):
            try expect(role.isSender, "a request to the side that makes requests")
            // A request of a later version is ignored.
            return request.request.map { .message(.request($0)) } ?? .nothing
        case .requestAnswer(let answer):
            try expect(!role.isSender, "an answer to the side that answers requests")
            guard let known = answer.answer else {
                throw .violation("an answer to a request of the kind \(answer.kind), which was not made")
            }
            return .message(.requestAnswer(known))
        case .ping(let ping):
            try answer(ping)
            silence?.noteKnowsPING()
            return .nothing
        case .pong(let pong):
            clockExchange.record(pong)
            silence?.noteKnowsPING()
            return .nothing
        case .bye(let bye):
            state.change { $0.goodbye = bye.goodbye }
            return .end
        case .byeAcknowledgement:
            try expect(state.look { $0.hasSaidGoodbye }, "an answer to a goodbye that was not said")
            state.change { $0.isGoodbyeAnswered = true }
            return .end
        default: throw .violation("a handshake within a stream")
        }
    }

    private func expect(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws(FrameStreamingError) {
        guard condition else { throw .violation(otherwise()) }
    }

    private func answer(_ ping: Ping) throws(FrameStreamingError) {
        let now = monotonicNow()
        let pong = Pong(answering: ping, receiveTime: now, sendTime: now)
        do throws(FrameStreamingError) {
            try writer.enqueue(MessageWriter.Outgoing(pong.marshal()), limit: Self.mostPongs)
        } catch {
            // A peer that reads no more may have said something before, which is read first.
            if error.code == .closed { throw error }
        }
    }
}
