/// Whether a receiver that is waited for gets on: `(what it has done, now) -> verdict`, without a
/// clock of its own.
///
/// It follows progress and never the whole time: what a slow link delivers late but surely is
/// not cut off.
struct StallMonitor: Sendable {
    /// What shows that a receiver gets on.
    struct Progress: Hashable, Sendable {
        /// When it acknowledged something, or connected.
        var time: MonotonicTime
        /// Bytes that have reached its machine, where the connection knows: a large frame on a slow
        /// link moves long before it is acknowledged.
        var bytes: UInt64?
    }

    enum Verdict: Hashable, Sendable {
        /// Nothing has moved for so long, and it may take so much longer; nil = for ever.
        case waits(Duration, left: Duration?)
        /// Nothing has moved for so long, which is as long as it may.
        case givenUp(Duration)
    }

    private let patience: Duration?
    private var last: MonotonicTime
    private var bytes: UInt64?

    /// - Parameters:
    ///   - start: Since when it is waited for: what it did not do before counts for nothing.
    ///   - bytes: What has reached its machine by then.
    ///   - patience: How long nothing may move; nil = for ever.
    init(since start: MonotonicTime, bytes: UInt64? = nil, patience: Duration?) {
        last = start
        self.bytes = bytes
        self.patience = patience
    }

    /// - Parameter mayRest: The receiver asked for this wait.
    mutating func look(_ progress: Progress, mayRest: Bool = false, at now: MonotonicTime) -> Verdict {
        // Of another connection they are other bytes, which is progress as well.
        let hasMoved = bytes != nil && progress.bytes != bytes
        bytes = progress.bytes
        last = hasMoved || mayRest ? now : max(last, progress.time)
        let quiet = now.since(last)
        if let patience, quiet >= patience { return .givenUp(quiet) }
        return .waits(quiet, left: patience.map { $0 - quiet })
    }
}

/// When to report a stall: after 3 s, and then each time that one is twice as long as the last one
/// reported. So a wait of days takes a few lines, and a receiver that is slow with every frame as
/// many.
struct StallReports: Sendable {
    /// After how long a stall is said first.
    static let first = Duration.seconds(3)
    /// So many acknowledgements without a stall, and the next one is news again.
    private static let recovery: UInt64 = 8

    private var next = Self.first
    /// What was acknowledged at the last stall.
    private var lastStall: UInt64 = 0

    /// Whether to say that nothing has moved for so long.
    mutating func isDue(_ quiet: Duration, acknowledged: UInt64) -> Bool {
        guard quiet >= Self.first else { return false }
        if acknowledged >= lastStall + Self.recovery { next = Self.first }
        lastStall = acknowledged
        guard quiet >= next else { return false }
        while next <= quiet { next = next * 2 }
        return true
    }
}
