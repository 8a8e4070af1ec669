internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The state of one named stream in the ``StreamRegistry``. It outlives the connections that show
/// it.
final class StreamEntry: Sendable {
    enum Status: String { case live, lost, ended }

    struct State {
        var status = Status.live
        var reason: String?
        /// When the last owner left; nil while there is an owner.
        var left: MonotonicTime?
        /// Numbers the owners. Calls of earlier ones have no effect.
        var owner = 0
        var session: UInt64 = 0
        var peer = ""
        var newest: PreviewFrame?
        var number = 0
        var figures = StreamFigures()
        var skippedBySender: Int?
        var dropped: [String: Int] = [:]
        var clockError: Double?
        var window: Int?
        /// The number of viewers that get its frames.
        var viewers = 0
        /// Frames that were sent to viewers, and their bytes.
        var sent = 0
        var sentBytes = 0
    }

    private static let longestReason = 200

    let name: String
    /// The name, encoded as JSON.
    let quotedName: String
    let state: Monitor<State>
    /// Whether it is one of the server's streams. A stream without a place is never shown, and
    /// keeps no frame.
    let isListed: Bool
    private let budget: PreviewFrameBudget
    /// Drops frames of other streams, to make room for a number of bytes.
    private let makeRoom: @Sendable (Int) -> Void
    /// Wakes the viewers' thread for a new frame.
    private let onPicture: @Sendable () -> Void
    /// Tells the viewers' thread about another change, which pages show at once.
    private let onChange: @Sendable () -> Void

    init(
        name: String, budget: PreviewFrameBudget, isListed: Bool, makeRoom: @escaping @Sendable (Int) -> Void,
        onPicture: @escaping @Sendable () -> Void, onChange: @escaping @Sendable () -> Void
    ) {
        self.name = name
        self.budget = budget
        self.isListed = isListed
        self.makeRoom = makeRoom
        quotedName = LiveFrameHeader.quoted(name)
        state = Monitor(State())
        self.onPicture = onPicture
        self.onChange = onChange
    }

    deinit { if let newest = state.withLock({ $0.newest }) { budget.release(newest.frame.byteCount) } }

    /// Whether a stream of `session` may take the name: it has no owner, or the same session owns
    /// it.
    func isFree(for session: UInt64) -> Bool {
        state.withLock { $0.left != nil || (session != 0 && $0.session == session) }
    }

    /// Registers a new owner, and returns its number. The caller reports the change.
    func claim(peer: String, session: UInt64) -> Int {
        state.withLock { state in
            state.owner += 1
            state.status = .live
            state.reason = nil
            state.left = nil
            state.peer = peer
            state.session = session
            state.clockError = nil
            state.window = nil
            return state.owner
        }
    }

    /// Keeps the frame as the newest. A frame that does not fit the budget is counted, and not
    /// kept.
    func show(
        _ frame: Frame, owner: Int, captured: MonotonicTime?, skipped: Int?, clockError: Int64?
    ) {
        guard isListed else { return }
        let now = MonotonicTime.now
        let captured = captured.flatMap { PreviewFrame.isBelievable($0, at: now) ? $0 : nil }
        if exchange(for: frame, owner: owner, now, captured, skipped, clockError) { return }
        makeRoom(frame.byteCount)
        if exchange(for: frame, owner: owner, now, captured, skipped, clockError) { return }
        // The frame before is out of date.
        dropPicture()
        countDropped("no_memory")
    }

    /// Returns true if nothing is left to do: the frame was kept, or the owner is no longer the
    /// current one.
    private func exchange(
        for frame: Frame, owner: Int, _ now: MonotonicTime, _ captured: MonotonicTime?, _ skipped: Int?,
        _ clockError: Int64?
    ) -> Bool {
        var isNews = false
        var replaced: PreviewFrame?
        let outcome: (isDone: Bool, isWanted: Bool) = state.withLock { state in
            guard owner == state.owner, state.left == nil else { return (true, false) }
            guard budget.exchange(state.newest?.frame.byteCount ?? 0, for: frame.byteCount) else {
                return (false, false)
            }
            isNews = state.status != .live
            state.status = .live
            state.reason = nil
            state.number += 1
            state.figures.record(
                at: now.nanoseconds, bytes: frame.byteCount,
                delay: captured.map { now.nanoseconds &- $0.nanoseconds })
            if let skipped { state.skippedBySender = Self.sum(state.skippedBySender ?? 0, skipped) }
            state.clockError = clockError.map { Double($0) / 1e6 }
            // Released after the lock, because the last lease of a frame may return to a camera.
            replaced = state.newest
            state.newest = PreviewFrame(number: state.number, frame: frame, captured: captured, arrived: now)
            return (true, state.viewers > 0)
        }
        withExtendedLifetime(replaced) {}
        if outcome.isWanted { onPicture() }
        if isNews { onChange() }
        return outcome.isDone
    }

    /// Adds without overflow, because a peer reports both numbers.
    private static func sum(_ first: Int, _ second: Int) -> Int {
        let (sum, overflow) = first.addingReportingOverflow(second)
        return overflow ? .max : sum
    }

    /// Releases the newest frame.
    func dropPicture(onlyIfEnded: Bool = false) {
        let dropped: PreviewFrame? = state.withLock { state in
            if onlyIfEnded, state.left == nil { return nil }
            return state.newest.take()
        }
        if let dropped { budget.release(dropped.frame.byteCount) }
    }

    /// When the last owner left; nil while there is an owner.
    var left: MonotonicTime? { state.withLock { $0.left } }

    /// The bytes of the newest frame; 0 = none.
    var pictureBytes: Int { state.withLock { $0.newest?.frame.byteCount ?? 0 } }

    /// Sets the status of the stream, and its reason.
    func set(_ status: Status, owner: Int, reason: String? = nil, isLeaving: Bool = false) {
        // The reason may be a peer's text.
        let reason = reason.map { StreamRegistry.safeWords($0, longest: Self.longestReason) }
        let changed = state.withLock { state in
            guard owner == state.owner, state.left == nil else { return false }
            let changed = state.status != status || state.reason != reason
            state.status = status
            state.reason = reason
            if isLeaving { state.left = .now }
            return changed || isLeaving
        }
        if changed { onChange() }
    }

    func update(owner: Int, _ body: (inout State) -> Void) {
        state.withLock { state in
            guard owner == state.owner else { return }
            body(&state)
        }
    }

    /// The newest frame; nil = none.
    var newest: PreviewFrame? { state.withLock { $0.newest } }

    /// The newest frame's number, 0 without one, and whether the stream has ended.
    var progress: (number: Int, hasEnded: Bool) {
        state.withLock { ($0.newest == nil ? 0 : $0.number, $0.status == .ended) }
    }

    func count(viewers change: Int) { state.withLock { $0.viewers += change } }

    func countSent(_ bytes: Int) {
        state.withLock { state in
            state.sent += 1
            state.sentBytes += bytes
        }
    }

    func countDropped(_ reason: String) { state.withLock { $0.dropped[reason, default: 0] += 1 } }

    /// Whether the stream has been without an owner for `duration`, and may be forgotten.
    func isForgotten(after duration: Duration, at now: MonotonicTime) -> Bool {
        state.withLock { $0.left.map { now.since($0) >= duration } ?? false }
    }
}
