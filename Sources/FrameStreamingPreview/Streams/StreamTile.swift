internal import FrameStreamingCore
internal import FrameStreamingSystem

/// What the server knows of one stream, under one name: whoever shows it, and how often it has come back.
final class StreamTile: Sendable {
    enum Status: String { case live, lost, ended }

    struct State {
        var status = Status.live
        var reason: String?
        /// When its owner was gone; nil = it has one.
        var left: MonotonicTime?
        /// Counts the owners: what an earlier one says is heard no more.
        var owner = 0
        var session: UInt64 = 0
        var peer = ""
        var newest: Picture?
        var number = 0
        var figures = StreamFigures()
        var skippedBySender: Int?
        var dropped: [String: Int] = [:]
        var clockError: Double?
        var window: Int?
        /// Who wants its pictures, as they come.
        var viewers = 0
        /// Pictures that were sent to viewers, and their bytes.
        var sent = 0
        var sentBytes = 0
    }

    private static let longestReason = 200

    let name: String
    /// The name as JSON.
    let quotedName: String
    let state: Monitor<State>
    /// Whether it is one of the server's streams. One that found no place is shown nowhere, and keeps no picture.
    let isListed: Bool
    private let budget: PictureBudget
    /// Drops pictures of other streams, where there is no room for so many bytes more.
    private let makeRoom: @Sendable (Int) -> Void
    /// Tells the thread of the viewers that there is a picture.
    private let onPicture: @Sendable () -> Void
    /// Tells it that something else has changed, which pages are to hear of at once.
    private let onChange: @Sendable () -> Void

    init(
        name: String, budget: PictureBudget, isListed: Bool, makeRoom: @escaping @Sendable (Int) -> Void,
        onPicture: @escaping @Sendable () -> Void, onChange: @escaping @Sendable () -> Void
    ) {
        self.name = name
        self.budget = budget
        self.isListed = isListed
        self.makeRoom = makeRoom
        quotedName = PictureHeader.quoted(name)
        state = Monitor(State())
        self.onPicture = onPicture
        self.onChange = onChange
    }

    deinit { if let newest = state.withLock({ $0.newest }) { budget.release(newest.frame.byteCount) } }

    /// Whether somebody else may have the name: nobody shows pictures under it, or the same session as before does.
    func isFree(for session: UInt64) -> Bool {
        state.withLock { $0.left != nil || (session != 0 && $0.session == session) }
    }

    /// A new owner. Returns its number. The caller says that something has changed.
    func enter(peer: String, session: UInt64) -> Int {
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

    /// Keeps the picture as the newest. Where there is no room for its bytes it is counted, and not kept.
    func show(
        _ frame: Frame, owner: Int, captured: MonotonicTime?, skipped: Int?, clockError: Int64?
    ) {
        guard isListed else { return }
        let now = MonotonicTime.now
        let captured = captured.flatMap { Picture.isBelievable($0, at: now) ? $0 : nil }
        if exchange(for: frame, owner: owner, now, captured, skipped, clockError) { return }
        makeRoom(frame.byteCount)
        if exchange(for: frame, owner: owner, now, captured, skipped, clockError) { return }
        // The one before is no longer how things are.
        dropPicture()
        countDropped("no_memory")
    }

    /// Returns whether nothing is left to do: it was kept, or is not this owner's to show.
    private func exchange(
        for frame: Frame, owner: Int, _ now: MonotonicTime, _ captured: MonotonicTime?, _ skipped: Int?,
        _ clockError: Int64?
    ) -> Bool {
        var isNews = false
        var replaced: Picture?
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
            // Given back behind the lock: the last lease of a picture may go back to a camera.
            replaced = state.newest
            state.newest = Picture(number: state.number, frame: frame, captured: captured, arrived: now)
            return (true, state.viewers > 0)
        }
        withExtendedLifetime(replaced) {}
        if outcome.isWanted { onPicture() }
        if isNews { onChange() }
        return outcome.isDone
    }

    /// A peer says both.
    private static func sum(_ first: Int, _ second: Int) -> Int {
        let (sum, overflow) = first.addingReportingOverflow(second)
        return overflow ? .max : sum
    }

    /// Gives the newest picture's memory back.
    func dropPicture(onlyIfEnded: Bool = false) {
        let dropped: Picture? = state.withLock { state in
            if onlyIfEnded, state.left == nil { return nil }
            return state.newest.take()
        }
        if let dropped { budget.release(dropped.frame.byteCount) }
    }

    /// When its owner was gone; nil = it has one.
    var left: MonotonicTime? { state.withLock { $0.left } }

    /// The bytes of the newest picture; 0 = there is none.
    var pictureBytes: Int { state.withLock { $0.newest?.frame.byteCount ?? 0 } }

    /// Says how it goes with the stream.
    func set(_ status: Status, owner: Int, reason: String? = nil, isLeaving: Bool = false) {
        // A peer's words.
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

    /// The newest picture; nil while there is none.
    var newest: Picture? { state.withLock { $0.newest } }

    /// The newest picture's number, 0 while there is none, and whether the stream has an end.
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

    /// Whether it is to be forgotten: nobody has shown anything under its name for `duration`.
    func isForgotten(after duration: Duration, at now: MonotonicTime) -> Bool {
        state.withLock { $0.left.map { now.since($0) >= duration } ?? false }
    }
}
