/// What a sender knows of its receivers and its own end.
///
/// Not inside `FrameSender`: a type inside a generic one is looked up wherever it is used.
struct SenderControl: Sendable {
    var outlets: [SenderOutlet] = []
    /// Counts what happens to the outlets: one is new, has connected, or has ended.
    var version = 0
    /// Connections that have ended long ago, beyond those that the summary names.
    var retired = SenderStatistics()
    /// When it was stopped; nil = it was not.
    var stopped: MonotonicTime?
    var isCancelled = false
    var isRunning = false
    var hasEnded = false

    var isStopping: Bool { stopped != nil }

    /// Viewers come and go for months: what was counted for the oldest stays, their names do not.
    mutating func retire(beyond mostNamed: Int) {
        var surplus = outlets.count(where: { !$0.isOpen }) - mostNamed
        outlets.removeAll { old in
            guard surplus > 0, !old.isOpen else { return false }
            surplus -= 1
            retired.merge(old.summary.statistics)
            return true
        }
    }
}

/// Those that pictures go to, as long as nothing has changed.
struct Receivers: Sendable {
    var outlets: [SenderOutlet]
    var version: Int
}
