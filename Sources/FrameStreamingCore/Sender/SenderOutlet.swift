internal import FrameStreamingSystem

/// One receiver of a sender: its slot, its window and its connection. Where it has a connector, a thread makes its connections; otherwise
/// it has a thread only while it waits for something that has a time. What the receiver says is heard by the sender's ``SharedListener``, or by a
/// thread for the connection.
final class SenderOutlet: Sendable {
    /// A frame that is sent again if the connection breaks before it was acknowledged.
    struct SentFrame {
        var frame: Frame
        var info: FrameInfo
    }

    /// What is handed to the connection.
    enum Outgoing {
        case frame(SentFrame)
        case notice(Message)

        var message: Message {
            switch self {
            case .frame(let sent): .frame(sent.frame, sent.info)
            case .notice(let message): message
            }
        }
    }

    /// A connection behind one reference: every frame looks it up, and to copy an `any Transport` is a call of its own.
    final class Live: Sendable {
        let transport: any Transport
        /// How many connections were handed over before it, where there is no connector.
        let number: Int
        /// Where the ``SharedListener`` has it; nil where that does not listen to it.
        let place = Monitor<Int?>(nil)

        var isWatched: Bool { place.withLock { $0 != nil } }

        init(_ transport: any Transport, number: Int) {
            self.transport = transport
            self.number = number
        }
    }

    struct State {
        var flow: FlowControl
        /// What waits for credit, oldest first.
        var slot: [Picture] = []
        /// What was taken and not sent, oldest first.
        var jobs: [Picture] = []
        /// Under `reliable`: what was sent and not acknowledged, oldest first. After a break the first ones are sent again.
        var unacknowledged: [SentFrame] = []
        /// Messages about the source, which go out before the next picture.
        var notices: [Message] = []
        /// What the receiver must know of the source; nil while all is well.
        var sourceLost: Message?
        /// What the flow control, which has no clock, does not measure.
        var stages = SenderStages()
        var countsBefore = SenderStatistics()
        /// The connection that there is.
        var live: Live?
        /// How many connections were handed over, where there is no connector, and which of them was lost last.
        var handedOver = 1
        var lastLost = 0
        /// The receiver came by itself, lost its connection, and is waited for until then.
        var awayUntil: MonotonicTime?
        /// What was asked of the encoders last, where the flow control chooses.
        var quality = 0
        var scale = PictureScale.full
        var isListening = false
        /// The thread that makes the connections has not ended.
        var isRunning = false
        /// A thread waits for the flow control's time, where no other does.
        var isWaiting = false
        /// Threads that answer a goodbye.
        var goodbyes = 0
        /// Some thread has a message in the transport's `send`: one at a time.
        var isSending = false
        /// What the connection did not take at once, or only in part: it goes first.
        var unfinished: Outgoing?
        /// It goes when there is room, and nobody need try before.
        var isBlocked = false
        /// Since when the connection has taken nothing whole, and what the peer's machine had confirmed when that was looked at last.
        var blockedSince: MonotonicTime?
        var deliveredWhenBlocked: UInt64?
        /// Until when the thread that waits sleeps where nobody wakes it; nil = for ever.
        var wakesAt: MonotonicTime?
        /// Somebody waits for the end of what is under way.
        var isDraining = false
        var progress = SessionProgress()
        /// Why there is no connection.
        var breakage: FrameStreamingError?
        var peer: Peer
        var end: StreamEnd?
        var failure: FrameStreamingError?
        /// The goodbye is under way: its outcome decides, not what the threads see of it.
        var isFinishing = false
        var lastProgress: MonotonicTime
        var stallWords = StallWords()

        /// Whether no thread is in it, and none will be.
        var isOver: Bool { end != nil && !isRunning && !isListening && !isWaiting && !isSending && goodbyes == 0 }
    }

    let connector: (any Connector)?
    /// Whether the receiver connected to this side by itself, and may stay away as it likes.
    let isIncoming: Bool
    let encoders: EncoderThreads
    let listener: SharedListener
    let options: SenderOptions
    /// Called with a quality that the receiver asks for.
    let onQuality: @Sendable (Int) -> Void
    /// Called when a connection was made, and at the end.
    let onChange: @Sendable () -> Void
    let state: Monitor<State>

    /// - Parameters:
    ///   - connector: Makes the connections; nil = `transport` is the only one, and those that ``adopt(_:)`` is given.
    ///     It is the caller's to close where this throws.
    convenience init(
        transport: any Transport, isIncoming: Bool, flow: FlowControl, encoders: EncoderThreads,
        listener: SharedListener,
        options: SenderOptions, onQuality: @escaping @Sendable (Int) -> Void, onChange: @escaping @Sendable () -> Void
    ) throws(FrameStreamingError) {
        try self.init(
            nil, transport, transport.peer, isIncoming, flow, encoders, listener, options, onQuality, onChange)
    }

    convenience init(
        connector: any Connector, flow: FlowControl, encoders: EncoderThreads, listener: SharedListener,
        options: SenderOptions, onQuality: @escaping @Sendable (Int) -> Void, onChange: @escaping @Sendable () -> Void
    ) throws(FrameStreamingError) {
        let nobody = Peer(address: connector.address, handshake: .binary, initialCredit: 0, creditAhead: 0)
        try self.init(
            connector, nil, nobody, connector.isListening, flow, encoders, listener, options, onQuality, onChange)
    }

    private init(
        _ connector: (any Connector)?, _ transport: (any Transport)?, _ peer: Peer, _ isIncoming: Bool,
        _ flow: FlowControl,
        _ encoders: EncoderThreads, _ listener: SharedListener, _ options: SenderOptions,
        _ onQuality: @escaping @Sendable (Int) -> Void,
        _ onChange: @escaping @Sendable () -> Void
    ) throws(FrameStreamingError) {
        self.connector = connector
        self.isIncoming = isIncoming
        self.encoders = encoders
        self.listener = listener
        self.options = options
        self.onQuality = onQuality
        self.onChange = onChange
        state = Monitor(State(flow: flow, peer: peer, lastProgress: .now))
        guard let connector else {
            // What is connected already must get its goodbye, however soon that comes.
            if let transport, begin(transport) == nil, let failure = state.withLock({ $0.failure }) { throw failure }
            return
        }
        state.withLock { $0.isRunning = true }
        do throws(SystemError) {
            _ = try SystemThread(name: "frame-send") { self.run(connector) }
        } catch {
            state.withLock { $0.isRunning = false }
            end(.error)
            throw FrameStreamingError(error, remedy: "no thread could be started for the connection")
        }
    }

    // MARK: The source's side

    /// Whether the source waits for this one.
    var isReliable: Bool { options.policy == .reliable }

    /// Offers a picture, waiting for room until the deadline where the policy is not to replace.
    /// False: there was no room, and nothing was counted.
    func offer(_ picture: Picture, until deadline: Deadline) -> Bool {
        let accepted: [Picture]? = state.wait(until: deadline.nanoseconds) { state in
            guard !isReliable || state.flow.hasRoom || state.end != nil else { return nil }
            return put(picture, &state).picturesToEncode
        }
        guard let accepted else { return false }
        for picture in accepted { encoders.submit(picture) }
        push()
        return true
    }

    /// Offers a picture without waiting; with `replaces` false, only if it can go at once.
    func tryOffer(_ picture: Picture, replaces: Bool) -> SendOutcome {
        let (outcome, accepted) = state.withLock { state -> (SendOutcome, [Picture]) in
            guard state.end == nil, !isReliable || state.flow.hasRoom, replaces || state.flow.wouldTake else {
                return (.noCredit, [])
            }
            let (hasReplaced, accepted) = put(picture, &state)
            return (hasReplaced ? .replaced : .sent, accepted)
        }
        for picture in accepted { encoders.submit(picture) }
        if outcome != .noCredit { push() }
        return outcome
    }

    /// Whether a picture that is offered now goes at once.
    var hasCredit: Bool { state.withLock { $0.end == nil && $0.flow.wouldTake } }

    private func put(
        _ picture: Picture, _ state: inout State
    ) -> (hasReplaced: Bool, picturesToEncode: [Picture]) {
        let isOpen = state.end == nil
        guard let decision = try? state.flow.handle(.offered(captured: picture.captured), at: .now) else {
            return (false, [])
        }
        if isOpen, !decision.leavesOut { state.slot.append(picture) }
        return (decision.drops > 0, carryOut(decision, &state))
    }

    func notify(_ message: Message) {
        state.update { state in
            if case .sourceLost = message { state.sourceLost = message } else { state.sourceLost = nil }
            if state.live != nil { state.notices.append(message) }
        }
        push()
    }

    /// A picture that was taken from the source and cannot wait any longer: counted as one that the end cut off.
    func abandon() {
        state.update { state in
            _ = try? state.flow.handle(.abandoned, at: .now)
        }
    }

    // MARK: Ending

    /// Waits until nothing is under way; false when the deadline passes first.
    func drain(until deadline: Deadline) -> Bool {
        let drained: Bool? = state.wait(until: deadline.nanoseconds) { state in
            state.isDraining = true
            let isQuiet = state.notices.isEmpty && state.unfinished == nil && !state.isSending
            return state.end != nil || (state.flow.isDrained && isQuiet) ? true : nil
        }
        return drained == true
    }

    /// Says goodbye, and waits for the threads to end. `isStopped`: it was this side's wish, before the stream's end.
    func finish(_ goodbye: Goodbye, isStopped: Bool, until deadline: Deadline) {
        let (transport, isOver) = state.update { state in
            defer { state.isFinishing = true }
            return (state.live?.transport, state.failure != nil || state.isFinishing)
        }
        if isOver { return }
        let good: StreamEnd = isStopped ? .cancelled : .good(state.withLock { $0.peer.handshake })
        guard let transport else {
            // Nobody to say goodbye to. Who ends a live stream while its receiver is away has lost nothing by that.
            let breakage = isStopped && !isReliable ? nil : state.withLock { $0.breakage }
            end(breakage.map { .of($0) } ?? good, breakage)
            join()
            return
        }
        var failure: FrameStreamingError?
        do throws(FrameStreamingError) {
            try sayGoodbye(goodbye, over: transport, until: deadline)
        } catch {
            failure = error
        }
        // What was acknowledged until now counts; a goodbye that goes unanswered matters where something is missing.
        if let failure, state.withLock({ !$0.flow.isDrained }) {
            end(.of(failure), failure)
        } else {
            end(good)
        }
        transport.close()
        join()
    }

    func sayGoodbye(
        _ goodbye: Goodbye, over transport: any Transport, until deadline: Deadline
    ) throws(FrameStreamingError) {
        // What comes meanwhile needs somebody in `receive`.
        if let live = listener.remove(self) { _ = listenAlone(live) }
        // What the receiver said last counts, although the answer to the goodbye is here before that was
        // taken: the connection is closed by now, so the thread in `receive` is about to end.
        defer { let _: Bool? = state.wait(until: deadline.nanoseconds) { $0.isListening ? nil : true } }
        try transport.finish(goodbye, until: deadline)
    }

    func cancel() {
        let transport = state.withLock { $0.live?.transport }
        end(.cancelled)
        transport?.close()
    }

    /// Waits for the threads, which `end` and the transport's `close` let go within 100 ms.
    func join() {
        let _: Bool? = state.wait(until: nil) { $0.isOver ? true : nil }
    }

    /// The first end counts; what is said later is its echo. Returns whether this was the first.
    @discardableResult
    func end(_ end: StreamEnd, _ failure: FrameStreamingError? = nil) -> Bool {
        let isFirst = state.update { state in
            guard state.end == nil else { return false }
            state.end = end
            state.failure = failure
            // What has ended holds its figures, and nothing else.
            if let live = state.live { state.peer = live.transport.peer }
            state.live = nil
            state.awayUntil = nil
            state.unfinished = nil
            state.isBlocked = false
            state.notices = []
            state.stages.compact()
            _ = try? state.flow.handle(.ended, at: .now)
            state.slot = []
            state.jobs = []
            state.unacknowledged = []
            return true
        }
        connector?.cancel()
        onChange()
        return isFirst
    }

    // MARK: What is known

    var isOpen: Bool { state.withLock { $0.end == nil } }

    /// Whether it has ended, and no thread is in it any more.
    var isOver: Bool { state.withLock { $0.isOver } }

    var isConnected: Bool { state.withLock { $0.live != nil } }

    /// Whether there was a connection.
    var hasConnected: Bool { state.withLock { $0.progress.connections > 0 } }

    var summary: SenderSummary.Connection {
        state.withLock { state in
            SenderSummary.Connection(
                peer: state.live?.transport.peer ?? state.peer, statistics: statistics(state.stages.total, state),
                end: state.end,
                failure: state.failure, connections: state.progress.connections, window: state.flow.window,
                isPaused: state.end == nil && state.live != nil && state.flow.isPaused)
        }
    }

    /// What happened since the last call of this.
    func takeInterval() -> SenderStatistics {
        state.withLock { state in
            var result = statistics(state.stages.takeInterval(), state)
            result.subtractCounts(of: state.countsBefore)
            state.countsBefore = state.flow.counts
            return result
        }
    }

    private func statistics(_ stages: SenderStatistics, _ state: State) -> SenderStatistics {
        var result = state.flow.counts
        result.merge(stages)
        return result
    }
}
