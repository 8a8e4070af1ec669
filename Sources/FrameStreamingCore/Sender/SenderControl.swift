/// A sender's knowledge about its receivers and its own end.
struct SenderControl: Sendable {
    var links: [ReceiverLink] = []
    /// Counts changes: a link was added, has connected, or has ended.
    var version = 0
    /// The figures of links that ended long ago, beyond those that the summary lists.
    var retired = SenderStatistics()
    /// Their figures since the last interval.
    var retiredInterval = SenderStatistics()
    /// The version at the last call of ``retire(beyond:)``.
    private var retiredAt = 0
    var phase = SenderPhase.open
    var order = SenderOrder.proceed
    /// Whether a source waits until a receiver has credit: see `FrameSender.waitForDemand(until:)`.
    var awaitsDemand = false
    /// Whether the source has turned out to be live, which options may follow.
    var sourceIsLive = false

    /// Forgets the names of the oldest ended links, and keeps the sum of their
    /// figures: a sender may run for months.
    ///
    /// It walks over all links, so it does so less often the more there are:
    /// thousands may come and go in a second.
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

/// The links that get pictures, for one version.
struct Receivers: Sendable {
    let links: [ReceiverLink]
    let version: Int
    /// The links that the source waits for.
    let reliable: [ReceiverLink]
    /// The others, without those that rest: see ``IdleLinks``.
    var awake: [ReceiverLink]
    /// Whether nothing was offered to them yet. Then links that were woken before are included.
    private var isNew = true

    init(links: [ReceiverLink], version: Int) {
        self.links = links
        self.version = version
        reliable = links.filter(\.isReliable)
        awake = links.filter { !$0.isReliable }
    }

    /// The same links after a change of their policies, before a frame is offered to them.
    var regrouped: Receivers { Receivers(links: links, version: version) }

    /// Adds the links that were woken since the last frame, before the next one is offered.
    mutating func add(_ woken: [ReceiverLink]) {
        if !isNew { awake += woken }
        isNew = false
    }
}
