/// What a sender knows of its receivers and its own end.
struct SenderControl: Sendable {
    /// The user's wish to end in good order.
    struct Stop: Sendable {
        var time: MonotonicTime
        var goodbye: Goodbye
    }

    var links: [ReceiverLink] = []
    /// Counts what happens to the links: one is new, has connected, or has ended.
    var version = 0
    /// Connections that have ended long ago, beyond those that the summary names.
    var retired = SenderStatistics()
    /// What they did since the last line per second.
    var retiredInterval = SenderStatistics()
    /// The version when that was looked at last.
    private var retiredAt = 0
    /// Nil while nobody has stopped it.
    var stop: Stop?
    var isCancelled = false
    var isRunning = false
    var hasEnded = false

    var isStopping: Bool { stop != nil }

    /// Receivers come and go for months: what was counted for the oldest stays, their names do not.
    ///
    /// Looks at all of them, and so the less often the more there are: thousands may come and go in a second.
    mutating func retire(beyond mostNamed: Int) {
        guard version >= retiredAt + max(1, links.count / 32) else { return }
        retiredAt = version
        var surplus = links.count(where: { $0.isOver }) - mostNamed
        if surplus <= 0 { return }
        links.removeAll { old in
            guard surplus > 0, old.isOver else { return false }
            surplus -= 1
            retiredInterval.merge(old.takeInterval())
            retired.merge(old.summary.statistics)
            return true
        }
    }
}

/// Those that pictures go to, as long as nothing has changed.
struct Receivers: Sendable {
    let links: [ReceiverLink]
    let version: Int
    /// Those that the source waits for.
    let reliable: [ReceiverLink]
    /// The others, without those that were found to rest: see ``IdleLinks``.
    var awake: [ReceiverLink]
    /// Nothing was offered to them yet, and whoever was woken before is among them.
    private var isNew = true

    init(links: [ReceiverLink], version: Int) {
        self.links = links
        self.version = version
        reliable = links.filter(\.isReliable)
        awake = links.filter { !$0.isReliable }
    }

    /// A frame is going to be offered, and these were woken since the one before.
    mutating func add(_ woken: [ReceiverLink]) {
        if !isNew { awake += woken }
        isNew = false
    }
}
