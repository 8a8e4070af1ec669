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

    let name: String
    /// The name as JSON.
    let quotedName: String
    let state: Monitor<State>
    /// Tells the thread of the viewers that there is a picture.
    private let onPicture: @Sendable () -> Void
    /// Tells it that something else has changed, which pages are to hear of at once.
    private let onChange: @Sendable () -> Void

    init(name: String, onPicture: @escaping @Sendable () -> Void, onChange: @escaping @Sendable () -> Void) {
        self.name = name
        quotedName = PictureHeader.quoted(name)
        state = Monitor(State())
        self.onPicture = onPicture
        self.onChange = onChange
    }

    /// Whether somebody else may have the name: nobody shows pictures under it, or the same session as before does.
    func isFree(for session: UInt64) -> Bool {
        state.withLock { $0.left != nil || (session != 0 && $0.session == session) }
    }

    /// A new owner. Returns its number.
    func enter(peer: String, session: UInt64) -> Int {
        let owner = state.withLock { state in
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
        onChange()
        return owner
    }

    func show(
        _ frame: Frame, owner: Int, captured: MonotonicTime?, skipped: Int?, clockError: Int64?
    ) {
        let now = MonotonicTime.now
        var isNews = false
        let before: (Picture?, isWanted: Bool) = state.withLock { state in
            guard owner == state.owner, state.left == nil else { return (nil, false) }
            isNews = state.status != .live
            state.status = .live
            state.reason = nil
            state.number += 1
            state.figures.record(
                at: now.nanoseconds, bytes: frame.byteCount,
                delay: captured.map { now.nanoseconds &- $0.nanoseconds })
            if let skipped { state.skippedBySender = (state.skippedBySender ?? 0) + skipped }
            state.clockError = clockError.map { Double($0) / 1e6 }
            let replaced = state.newest
            state.newest = Picture(number: state.number, frame: frame, captured: captured, arrived: now)
            // Given back behind the lock: the last lease of a picture may go back to a camera.
            return (replaced, state.viewers > 0)
        }
        if before.isWanted { onPicture() }
        if isNews { onChange() }
    }

    /// Says how it goes with the stream.
    func set(_ status: Status, owner: Int, reason: String? = nil, isLeaving: Bool = false) {
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
