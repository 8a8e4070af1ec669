/// Judges the progress of a receiver that the sender waits for: `(progress, now) ->
/// verdict`, without a clock of its own.
///
/// It judges progress and never the total time, so that a slow link that
/// delivers late but surely is not cut off.
struct StallMonitor: Sendable {
    /// What shows that a receiver makes progress.
    struct Progress: Hashable, Sendable {
        /// When it last acknowledged something, or connected.
        var time: MonotonicTime
        /// Bytes that have reached its machine, if the connection knows: a large frame on a slow
        /// link moves long before it is acknowledged.
        var bytes: UInt64?
    }

    enum Verdict: Hashable, Sendable {
        /// Nothing has moved for the first duration. The receiver is given up
        /// after the second one; nil = never.
        case waits(Duration, left: Duration?)
        /// Nothing has moved for this time, which is the permitted one.
        case givenUp(Duration)
    }

    private let patience: Duration?
    private var last: MonotonicTime
    private var bytes: UInt64?

    /// - Parameters:
    ///   - start: When the wait began. A lack of progress before that does not count.
    ///   - bytes: The bytes that had reached its machine by then.
    ///   - patience: How long nothing may move; nil = for ever.
    init(since start: MonotonicTime, bytes: UInt64? = nil, patience: Duration?) {
        last = start
        self.bytes = bytes
        self.patience = patience
    }

    /// - Parameter mayRest: Whether the receiver asked for this wait.
    mutating func look(_ progress: Progress, mayRest: Bool = false, at now: MonotonicTime) -> Verdict {
        // After a new connection the count is another one, which is progress as well.
        let hasMoved = bytes != nil && progress.bytes != bytes
        bytes = progress.bytes
        last = hasMoved || mayRest ? now : max(last, progress.time)
        let quiet = now.since(last)
        if let patience, quiet >= patience { return .givenUp(quiet) }
        return .waits(quiet, left: patience.map { $0 - quiet })
    }
}

/// When to report a stall: after 3 s, and then whenever a stall is twice as long as
/// the last reported one. So a wait of days takes a few lines, and so does a
/// receiver that is slow with every frame.
struct StallReports: Sendable {
    /// After how long a stall is reported first.
    static let first = Duration.seconds(3)
    /// After this many acknowledgements without a stall, the next
    /// stall is reported from 3 s on again.
    private static let recovery: UInt64 = 8

    private var next = Self.first
    /// The number of acknowledgements at the last stall.
    private var lastStall: UInt64 = 0

    /// Whether to report that nothing has moved for `quiet`.
    mutating func isDue(_ quiet: Duration, acknowledged: UInt64) -> Bool {
        guard quiet >= Self.first else { return false }
        if acknowledged >= lastStall + Self.recovery { next = Self.first }
        lastStall = acknowledged
        guard quiet >= next else { return false }
        while next <= quiet { next = next * 2 }
        return true
    }
}
