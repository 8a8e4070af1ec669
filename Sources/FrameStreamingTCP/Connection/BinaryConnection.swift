internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A connection that speaks the binary protocol, after the handshake.
final class BinaryConnection: WatchedConnection {
    private let channel: Channel
    private let outbox: Outbox
    private let life = Lifecycle()
    private let reader: BinaryReader
    private let role: TCPRole
    private let peer: Hello
    private let session: SessionUse?
    private let packingPool = FramePool(capacity: 2)
    private let numbers = Monitor(Numbers())

    /// Nil where the peer is not asked: its clock is ours, and this side sends no frames.
    private let watch: Monitor<ClockWatch>?
    /// Whether the thread in `receive` asks where nobody else does.
    private let asksWhileWaiting: Bool

    private struct Numbers {
        var lastSent: UInt64 = 0
        var lastReceived: UInt64 = 0
    }

    /// Queued PONGs beyond this are dropped: a peer that asks faster than it reads gets no queue here.
    private static let mostPongs = 16

    init(
        _ channel: Channel, _ outbox: Outbox, role: TCPRole, peer: Hello, input: InputBuffer, clock: ClockWatch?,
        options: TCPOptions, session: SessionUse? = nil
    ) {
        self.channel = channel
        self.outbox = outbox
        self.role = role
        self.peer = peer
        self.session = session
        watch = clock.map { Monitor($0) }
        asksWhileWaiting = clock?.purpose == .clock
        // Frames that the consumer holds, one on its way, and one in the consumer's hands.
        let pool = options.pool ?? FramePool(capacity: Int(clamping: min(options.creditAhead, 62)) + 2)
        reader = BinaryReader(channel, outbox, input: input, pool: pool, options: options)
        session?.onReturn { [channel, life] in Self.sever(channel, life) }
    }

    var goodbye: String? { life.look { $0.goodbye } }
    var deliveredBytes: UInt64? { channel.deliveredBytes }

    // MARK: Sending

    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        switch message {
        case .frame(let frame, let info):
            try check(frame, info)
            askOnTheWay()
            try outbox.send(.frame(info.sequence), until: deadline) { () throws(FrameStreamingError) in
                try self.outgoing(frame, info)
            }
            numbers.withLock { $0.lastSent = max($0.lastSent, info.sequence) }
        case .acknowledgement(let acknowledgement):
            try needRole(.receiver, "acknowledge")
            // Whether or not the sender hears of it: the frame was consumed, and must not come again.
            session?.consumed(acknowledgement.sequence)
            // Before it, and not behind: the frame that the acknowledgement lets go would be in the answer's way.
            askOnTheWay()
            try outbox.send(.acknowledgement(acknowledgement.sequence), until: deadline) {
                Outbox.Outgoing(acknowledgement.marshal())
            }
            life.change { $0.acknowledged = max($0.acknowledged, acknowledgement.sequence) }
        case .sourceLost(let text):
            try needRole(.sender, "tell of the source")
            try outbox.send(.sourceLost(text), until: deadline) {
                Outbox.Outgoing(WireMessage.sourceLost(text).marshal())
            }
        case .sourceRestored:
            try needRole(.sender, "tell of the source")
            try outbox.send(.sourceRestored, until: deadline) {
                Outbox.Outgoing(WireMessage.sourceRestored.marshal())
            }
        case .request(let request):
            try check(request)
            try outbox.send(.request(request), until: deadline) { Outbox.Outgoing(WireRequest(request).marshal()) }
        }
    }

    private func check(_ request: ReceiverRequest) throws(FrameStreamingError) {
        try needRole(.receiver, "ask the peer for something")
        if case .quality(let quality) = request, !(1...100).contains(quality) {
            throw FrameStreamingError(
                .invalidArgument, "a quality of \(quality) cannot be: 1 (smallest) to 100 (best)")
        }
        guard peer.optionalCapabilities & Hello.takesRequests != 0 else {
            throw FrameStreamingError(
                .unsupported, "this sender takes no requests: update it, or set there what is wanted of it",
                subject: channel.address)
        }
    }

    private func outgoing(_ frame: Frame, _ info: FrameInfo) throws(FrameStreamingError) -> Outbox.Outgoing {
        let (packed, byteCount) = try tightlyPacked(frame, from: packingPool)
        guard byteCount <= peer.maximumFrameBytes else {
            throw FrameStreamingError(
                .limitExceeded,
                "a frame of \(byteCount) bytes, but the peer takes at most \(peer.maximumFrameBytes): \(FrameStreamingError.raiseLimit)",
                subject: channel.address)
        }
        var info = info
        info.sendTime = info.sendTime ?? .now
        return Outbox.Outgoing(
            FrameHeader(packed, info).marshal(metadata: packed.metadata, imageBytes: byteCount), image: packed,
            imageBytes: byteCount)
    }

    private func check(_ frame: Frame, _ info: FrameInfo) throws(FrameStreamingError) {
        try needRole(.sender, "send frames")
        let last = numbers.withLock { $0.lastSent }
        guard info.sequence == last + 1 else {
            throw FrameStreamingError(
                .invalidArgument, "frame \(info.sequence) cannot follow frame \(last): frames are numbered without gaps"
            )
        }
        guard frame.metadata.count <= Frame.largestMetadata else {
            throw FrameStreamingError(
                .invalidArgument,
                "metadata of \(frame.metadata.count) bytes: at most \(Frame.largestMetadata) travel with a frame")
        }
        guard peer.pixelFormats.isEmpty || peer.pixelFormats.contains(frame.format.pixelFormat) else {
            let taken = peer.pixelFormats.map(\.description).joined(separator: ", ")
            throw FrameStreamingError(
                .unsupported, "the peer does not take \(frame.format.pixelFormat), but \(taken): choose a codec for it",
                subject: channel.address)
        }
    }

    private func needRole(_ needed: TCPRole, _ what: String) throws(FrameStreamingError) {
        guard role == needed else {
            throw FrameStreamingError(.invalidArgument, "the \(role) of a connection cannot \(what)")
        }
    }

    // MARK: Receiving

    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        try life.reading(until: deadline) { () throws(FrameStreamingError) in try self.next(until: deadline) }
    }

    /// What a message means for the owner.
    private enum Meaning {
        case message(Message)
        case nothing
        /// The peer ended.
        case end
    }

    /// The next message that is the owner's business; nil when the peer ended. Needs the turn to read.
    private func next(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        while true {
            switch try read(until: deadline) {
            case .frame(let message, let sequence):
                try count(sequence)
                return message
            case .message(let message):
                switch try meaning(of: message) {
                case .message(let message): return message
                case .nothing: continue
                case .end: return nil
                }
            }
        }
    }

    private func meaning(of message: WireMessage) throws(FrameStreamingError) -> Meaning {
        switch message {
        case .acknowledgement(let acknowledgement):
            try expect(role == .sender, "an acknowledgement to the side that receives frames")
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
            watch?.withLock { $0.record(pong, at: now) }
            return .nothing
        case .bye(let bye):
            life.change { $0.goodbye = bye.text }
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

    private func answer(_ ping: Ping) throws(FrameStreamingError) {
        let now = monotonicNow()
        let pong = Pong(answering: ping, receiveTime: now, sendTime: now)
        do throws(FrameStreamingError) {
            try outbox.enqueue(Outbox.Outgoing(pong.marshal()), limit: Self.mostPongs)
        } catch {
            // A side that ended its reading may have said more before: that is read first.
            if error.code == .closed { throw error }
        }
    }

    // MARK: Clocks

    /// Reads on. Where the peer has a clock of its own and nobody has asked for it in time, this thread asks.
    private func read(until deadline: Deadline) throws(FrameStreamingError) -> BinaryReader.Item {
        guard let watch, asksWhileWaiting else {
            return try reader.next(until: deadline, takesFrames: role == .receiver)
        }
        while true {
            let wake = MonotonicTime(nanoseconds: try askWhenOverdue(watch))
            do throws(FrameStreamingError) {
                return try reader.next(until: deadline.earlier(.at(wake)), takesFrames: role == .receiver)
            } catch {
                guard error.code == .timedOut, wake <= .now, !deadline.hasPassed else { throw cause(of: error) }
            }
        }
    }

    /// Asks where the thread in `receive` must; when it must next.
    private func askWhenOverdue(_ watch: Monitor<ClockWatch>) throws(FrameStreamingError) -> Int64 {
        // Nobody needs the time of a peer that ends.
        if life.look({ $0.hasSaidFarewell || $0.goodbye != nil }) { return .max }
        let (now, wake) = (monotonicNow(), watch.withLock { $0.wakeTime })
        if wake > now { return wake }
        do throws(FrameStreamingError) {
            if try !ask(watch) { watch.withLock { $0.postpone(at: now) } }
        } catch {
            // What cannot be written is told to those who write. What can still be read is read.
            if error.code == .closed { throw error }
            return .max
        }
        return watch.withLock { $0.wakeTime }
    }

    /// Asks before something else is sent, where a question is due. What is wrong with the connection is for the other message to
    /// find out.
    private func askOnTheWay() {
        guard let watch, watch.withLock({ $0.isDue(at: monotonicNow()) }) else { return }
        _ = try? ask(watch)
    }

    /// False: something else is being written, and behind it the question would measure that.
    private func ask(_ watch: Monitor<ClockWatch>) throws(FrameStreamingError) -> Bool {
        try outbox.offer { Outbox.Outgoing(watch.withLock { $0.ask(at: monotonicNow()) }.marshal()) }
    }

    var clock: ClockFilter.Estimate? {
        guard let watch else { return nil }
        let now = monotonicNow()
        return watch.withLock { $0.estimate(at: now) }
    }

    var roundTrip: Int64? {
        guard let watch else { return nil }
        let now = monotonicNow()
        return watch.withLock { $0.roundTrip(at: now) }
    }

    // MARK: Listening together with others

    /// Frames come to a receiver, and are no thing for a thread that must not be kept long.
    var watched: Descriptor? { role == .sender ? try? channel.descriptor() : nil }

    func receiveArrived(into messages: inout [Message]) throws(FrameStreamingError) -> WatchedNeeds? {
        let hasEnded = try life.readingArrived(into: &messages) { messages throws(FrameStreamingError) in
            var mayRead = true
            while let message = try self.nextArrived(&mayRead) {
                switch try self.meaning(of: message) {
                case .message(let message): messages.append(message)
                case .nothing: continue
                case .end: return true
                }
            }
            return false
        }
        if hasEnded { return nil }
        let asks =
            asksWhileWaiting ? try watch.map { watch throws(FrameStreamingError) in try askWhenOverdue(watch) } : nil
        let writes = outbox.hasWork ? try channel.drive(outbox) : nil
        let lookBy = [reader.due?.nanoseconds, asks, writes].compactMap { $0 }.min()
        return WatchedNeeds(lookBy: lookBy.map { MonotonicTime(nanoseconds: $0) }, wantsOutput: writes != nil)
    }

    private func nextArrived(_ mayRead: inout Bool) throws(FrameStreamingError) -> WireMessage? {
        do throws(FrameStreamingError) {
            return try reader.nextArrived(&mayRead)
        } catch {
            throw cause(of: error)
        }
    }

    /// The kernel tells each error once: a write that failed had it, and to a read the stream has merely ended then.
    private func cause(of error: FrameStreamingError) -> FrameStreamingError {
        error.code == .endedWithoutGoodbye ? outbox.failure ?? error : error
    }

    // MARK: Ending

    func finish(_ reason: String, until deadline: Deadline) throws(FrameStreamingError) {
        defer { close() }
        if life.look({ $0.goodbye == nil }) {
            life.change { $0.hasSaidFarewell = true }
            try outbox.send(.goodbye, until: deadline) { Outbox.Outgoing(Bye(reason).marshal()) }
            try life.await(until: deadline, for: "the peer's answer to a goodbye", { $0.hasEnded }) {
                () throws(FrameStreamingError) in
                try self.next(until: deadline)
            }
        }
        if life.look({ $0.goodbye != nil }) {
            life.change { $0.hasSaidFarewell = true }
            let answer = farewell
            try outbox.send(.goodbye, until: deadline) { Outbox.Outgoing(answer) }
        }
        channel.shutdownWriting()
        life.drain(channel, outbox, until: deadline)
    }

    private var farewell: [UInt8] {
        ByeAcknowledgement(consumedThrough: life.look { $0.acknowledged }).marshal()
    }

    /// The session has come back on another connection: nothing more gets in here. What has arrived is still the consumer's.
    private static func sever(_ channel: Channel, _ life: Lifecycle) {
        life.change { state in
            guard state.failure == nil, !state.hasEnded, !state.isClosed else { return }
            state.failure = FrameStreamingError(
                .endedWithoutGoodbye,
                "the sender has connected again: what came here before was delivered, and the stream goes on there",
                subject: channel.address)
        }
        channel.close()
    }

    func close() {
        if life.look({ $0.goodbye != nil && !$0.hasSaidFarewell && !$0.isClosed }) {
            // Best effort: the peer waits for it.
            life.change { $0.hasSaidFarewell = true }
            do { try outbox.enqueue(Outbox.Outgoing(farewell)) } catch {}
        }
        channel.close()
        life.change { $0.isClosed = true }
        outbox.close()
        session?.end()
    }
}
