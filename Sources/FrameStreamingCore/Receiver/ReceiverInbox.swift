internal import FrameStreamingSystem

/// The receiving half of a connection: a reading thread, so that a slow consumer delays
/// neither the transport's own answers nor the arrival stamps, and the queue of arrived
/// frames. The credit bounds the queue.
final class ReceiverInbox: Sendable {
    struct Item: Sendable {
        var frame: Frame
        var info: FrameInfo
        /// What the sender said of its source before this frame.
        var notices: [SourceNotice] = []
    }

    /// The result of a wait for frames.
    enum Arrival: Sendable {
        /// The oldest frame; with `latest`, the newest one and those that must be skipped.
        case frames(skipped: [Item], Item)
        /// A notice about the sender's source, for callers that ask for notices.
        case notice(SourceNotice)
        case ended
        /// The sender reported its failure: a clean end with an error.
        case endedFailed(FrameStreamingError)
        case failed(FrameStreamingError)
        /// This side was stopped; the goodbye is for the sender.
        case stopped(Goodbye)
    }

    struct State {
        var items: [Item] = []
        var receivedThrough: UInt64 = 0
        /// Nil = the sender may send nothing for ever.
        var idleness: SenderIdleness?
        var credit: CreditGrant
        var bytes = 0
        var format: PixelFormat?
        var skippedBySender = 0
        var firstArrival: MonotonicTime?
        var end: StreamEnd?
        var failure: FrameStreamingError?
        /// This side's goodbye after a stop; nil = it was not stopped.
        var farewell: Goodbye?
        /// This side's goodbye to a sender that it gave up.
        var complaint: Goodbye?
        var isCancelled = false
        /// Nanoseconds that decoding may still take after a break; nil without a break.
        var decodingLeft: Int64?
        /// Frames that arrived and are not delivered.
        var dropped = 0
        var isReading = true
        /// What the sender has said of its source since the last frame.
        var notices: [SourceNotice] = []
        var requests = PendingRequests()
        /// The thread that reads the connection. It must not wait for a message: no other thread
        /// would read it.
        var reader: SystemThread.ID?

        mutating func drop() {
            dropped += items.count
            items = []
        }

        /// Keeps a notice. If the source comes and goes without a frame, only the last pair stays.
        mutating func note(_ notice: SourceNotice) {
            notices.append(notice)
            if notices.count > 2 { notices.removeFirst(2) }
        }

        /// The oldest notice of the source that has no frame before it.
        mutating func takeNotice() -> SourceNotice? {
            if let first = items.first {
                return first.notices.isEmpty ? nil : items[0].notices.removeFirst()
            }
            return notices.isEmpty ? nil : notices.removeFirst()
        }

        /// Takes the newest frame, and those before it.
        ///
        /// - Parameter passing: Whether frames are passed on undecoded. Then none is left out on which
        ///   a later one depends, nor before what the sender said of its source.
        mutating func takeNewest(passing: Bool) -> Arrival {
            var newest = items.count - 1
            if passing {
                newest = items.dropFirst().firstIndex { !$0.notices.isEmpty }.map { $0 - 1 } ?? newest
                newest = items[...newest].lastIndex { !$0.frame.dependsOnPrevious } ?? 0
            }
            let skipped = Array(items[..<newest])
            let item = items[newest]
            items.removeFirst(newest + 1)
            return .frames(skipped: skipped, item)
        }

        mutating func noteDecoding(_ nanoseconds: Int64) {
            if let left = decodingLeft { decodingLeft = left &- nanoseconds }
        }

        /// Notes an end. Returns false if there was one before, because the first counts.
        mutating func end(_ how: StreamEnd, _ reason: FrameStreamingError?) -> Bool {
            guard end == nil else { return false }
            end = how
            failure = reason
            return true
        }
    }

    /// How much decoding is done for a connection after it broke. Ordinary frames take far less, so
    /// all that arrived are delivered, however slow the consumer is. Frames made to be costly are
    /// not decoded for a sender that has gone.
    static let decodingAfterBreak = Duration.seconds(1)

    let transport: any Transport
    private let onEvent: @Sendable (ReceiverEvent) -> Void
    let state: Monitor<State>
    private let limited: (any MemoryLimited)?
    private let idleTimeout: Duration?

    /// - Parameter idleTimeout: How long the sender may send no frame; nil = for ever.
    init(
        transport: any Transport, idleTimeout: Duration?, onEvent: @escaping @Sendable (ReceiverEvent) -> Void
    ) throws(FrameStreamingError) {
        self.transport = transport
        self.idleTimeout = idleTimeout
        self.onEvent = onEvent
        limited = transport as? any MemoryLimited
        // Read once, because copying the peer for every frame is expensive.
        let peer = transport.peer
        let ahead = peer.creditAhead
        var first = State(credit: CreditGrant(ahead: ahead, initial: limited == nil ? ahead : peer.initialCredit))
        first.idleness = idleTimeout.map { SenderIdleness($0, at: .now) }
        first.items.reserveCapacity(Int(clamping: min(64, ahead)))
        state = Monitor(first)
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-receive") { self.listen() }
        } catch {
            transport.close()
            throw FrameStreamingError(error, remedy: "no thread could be started for the connection")
        }
    }

    private func listen() {
        defer { state.update { $0.isReading = false } }
        state.withLock { $0.reader = .current }
        while true {
            do throws(FrameStreamingError) {
                guard let message = try transport.receive(until: idleDeadline) else {
                    let peer = transport.peer
                    let failure = peer.goodbye?.failure(of: "sender", at: peer.address)
                    noteEnd(failure.map { .of($0) } ?? .good(peer), failure)
                    return
                }
                switch message {
                case .frame(let frame, let info): try take(Item(frame: frame, info: info))
                case .sourceLost(let reason):
                    state.update { $0.note(.lost(reason)) }
                    onEvent(.sourceLost(reason: reason))
                case .sourceRestored:
                    state.update { $0.note(.restored) }
                    onEvent(.sourceRestored)
                case .acknowledgement:
                    throw FrameStreamingError(
                        .protocolViolation, "the sender acknowledged a frame, but it is the one that sends them")
                case .request:
                    throw FrameStreamingError(
                        .protocolViolation, "the sender asked for what only a receiver asks for")
                case .requestAnswer(let answer):
                    try state.update { (state) throws(FrameStreamingError) in try state.requests.note(answer) }
                }
            } catch {
                if error.code == .timedOut {
                    if givesUpIdleSender() { return }
                    continue
                }
                noteBreak(error)
                return
            }
        }
    }

    private func take(_ item: Item) throws(FrameStreamingError) {
        try state.update { (state) throws(FrameStreamingError) in
            guard item.info.sequence == state.receivedThrough + 1 else {
                throw FrameStreamingError(
                    .protocolViolation,
                    "frame \(item.info.sequence) came after frame \(state.receivedThrough): numbers have no gaps")
            }
            guard item.info.sequence <= state.credit.through else {
                throw FrameStreamingError(
                    .protocolViolation,
                    "the sender sent frame \(item.info.sequence) with credit through \(state.credit.through)")
            }
            state.receivedThrough = item.info.sequence
            state.credit.note(bytes: item.frame.byteCount)
            state.bytes += item.frame.byteCount
            state.format = item.frame.format.pixelFormat
            state.skippedBySender = state.skippedBySender.addingClamped(Int(item.info.skipped))
            state.idleness?.noteArrival(item.info.sequence, at: item.info.arrivalTime ?? .now)
            if state.firstArrival == nil { state.firstArrival = item.info.arrivalTime ?? .now }
            guard state.farewell == nil, state.end == nil, !state.isCancelled else {
                state.dropped += 1
                return
            }
            state.items.append(item)
            if !state.notices.isEmpty { swap(&state.items[state.items.count - 1].notices, &state.notices) }
        }
    }

    /// Waits for the oldest frame, or with `newest` for the newest and those that are skipped for
    /// it. Returns nil if none arrived by the deadline.
    ///
    /// - Parameter notices: Whether the caller takes what the sender says of its source, too.
    func next(newest: Bool, notices: Bool = false, until deadline: Deadline) -> Arrival? {
        state.wait(until: deadline.nanoseconds) { state in
            if state.isCancelled { return .failed(.cancelled("the receiver")) }
            if let farewell = state.farewell { return .stopped(farewell) }
            if let left = state.decodingLeft, left <= 0 { state.drop() }
            if notices, let notice = state.takeNotice() { return .notice(notice) }
            if !state.items.isEmpty {
                if !newest { return .frames(skipped: [], state.items.removeFirst()) }
                return state.takeNewest(passing: notices)
            }
            guard state.end != nil else { return nil }
            guard let failure = state.failure else { return .ended }
            return state.decodingLeft == nil ? .endedFailed(failure) : .failed(failure)
        }
    }

    /// Whether a frame has arrived that no consumer has taken.
    var hasFrames: Bool { state.withLock { !$0.items.isEmpty } }

    /// Subtracts the time of a decoding that failed from the time that is left after a break.
    func noteDecoding(nanoseconds: Int64) { state.withLock { $0.noteDecoding(nanoseconds) } }

    /// Returns whether this side has ended since a frame was taken. Then
    /// the frame is counted as dropped.
    ///
    /// - Parameter nanoseconds: How long decoding it took.
    func dropsTaken(afterDecoding nanoseconds: Int64) -> Bool {
        state.withLock { state in
            state.noteDecoding(nanoseconds)
            guard state.isCancelled || state.farewell != nil else { return false }
            state.dropped += 1
            return true
        }
    }

    /// Counts the last frame, which was returned but not taken, as dropped.
    func noteDropped() { state.withLock { $0.dropped += 1 } }

    /// Returns the acknowledgement of a frame, with the credit.
    func acknowledgement(
        _ info: FrameInfo, _ outcome: Acknowledgement.Outcome, unconsumed: Int, stages: DeliveredFrame?,
        at now: MonotonicTime
    ) -> Acknowledgement {
        let memory = limited?.frameMemory
        return state.withLock { state in
            let credit = state.credit.consume(info.sequence, memory: memory)
            state.idleness?.noteAcknowledgement(info.sequence, at: now)
            var result = Acknowledgement(sequence: info.sequence, creditThrough: credit, outcome: outcome)
            result.receivedThrough = state.receivedThrough
            result.arrivalTime = info.arrivalTime
            result.consumedTime = now
            result.queueNanoseconds = stages?.queueTime
            result.decodeNanoseconds = stages?.decodeTime
            result.queueDepth = UInt32(clamping: state.items.count)
            result.unconsumed = UInt64(unconsumed)
            return result
        }
    }

    /// Ends every wait for a frame, now and later. Arrived frames are dropped.
    func stop(_ goodbye: Goodbye) {
        state.update { state in
            state.farewell = state.farewell ?? goodbye
            state.drop()
        }
    }

    /// Works like ``stop(_:)``, but every wait fails with `cancelled`.
    func cancel() {
        state.update { state in
            state.isCancelled = true
            state.drop()
        }
        noteEnd(.cancelled, .cancelled("the receiver"))
    }

    /// Counts the remaining frames as dropped, because the consumer asks for no more.
    func dropRest() { state.withLock { $0.drop() } }

    /// Works like ``noteEnd(_:_:)`` for a broken connection: arrived frames are delivered, as far
    /// as decoding them takes little time.
    func noteBreak(_ error: FrameStreamingError) {
        state.update { state in
            guard state.end(.of(error), error) else { return }
            state.decodingLeft = Self.decodingAfterBreak.wholeNanoseconds
        }
    }

    /// When to look whether the sender is idle for too long.
    private var idleDeadline: Deadline {
        if idleTimeout == nil { return .never }
        return state.withLock { state in state.idleness.map { .at($0.due(at: .now)) } ?? .never }
    }

    /// Ends the stream if the sender has been idle for too long; false if it has not.
    private func givesUpIdleSender() -> Bool {
        guard let idleTimeout else { return false }
        let error = ReceiverLimits.idle(idleTimeout, from: transport.peer.address)
        return state.update { state in
            guard state.idleness?.isOver(at: .now) == true else { return false }
            if state.end(.of(error), error) { state.complaint = .failed(error.message) }
            return true
        }
    }

    /// This side's goodbye to a sender that it gave up.
    var complaint: Goodbye? { state.withLock { $0.complaint } }

    /// Notes how the connection ended. The first end counts.
    func noteEnd(_ end: StreamEnd, _ failure: FrameStreamingError? = nil) {
        state.update { _ = $0.end(end, failure) }
    }

    /// Waits until the end is known; false if it is not by the deadline.
    func waitForEnd(until deadline: Deadline) -> Bool {
        let hasEnded: Bool? = state.wait(until: deadline.nanoseconds) { $0.end == nil ? nil : true }
        return hasEnded == true
    }

    /// Waits for the thread, which ends after the transport's `close`. The thread itself does not
    /// wait.
    func join() {
        if isReader { return }
        let _: Bool? = state.wait(until: nil) { $0.isReading ? nil : true }
    }

    /// Whether the calling thread is the one that reads the connection, and calls `onEvent`.
    var isReader: Bool { state.withLock { $0.reader == .current } }

    var end: StreamEnd? { state.withLock { $0.end } }
    /// This side's goodbye after a stop; nil = it was not stopped.
    var farewell: Goodbye? { state.withLock { $0.farewell } }

    /// Adds what was counted on arrival.
    func describe(_ statistics: inout ReceiverStatistics) {
        if let counts = (transport as? any LimitCounting)?.limitCounts { statistics.limits.merge(counts) }
        state.withLock { state in
            statistics.bytes = state.bytes
            statistics.format = state.format
            statistics.firstArrival = state.firstArrival
            statistics.droppedAtEnd = state.dropped
            statistics.limits.note(state.failure?.limit)
            statistics.skippedBySender = transport.peer.abilities.contains(.skipCounts) ? state.skippedBySender : nil
        }
    }
}
