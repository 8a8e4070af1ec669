/// Whether a receiver that is waited for gets on: `(what it has done, now) -> verdict`, without a clock of its own.
///
/// It goes by progress and never by the whole time: what a slow link delivers late but surely is not cut off.
struct StallWatch: Sendable {
    /// What shows that a receiver gets on.
    struct Progress: Hashable, Sendable {
        /// When it acknowledged something, or connected.
        var time: MonotonicTime
        /// Bytes that have reached its machine, where the connection knows: a large frame on a slow link moves long before it is acknowledged.
        var bytes: UInt64?
    }

    enum Verdict: Hashable, Sendable {
        /// There is nothing to be said.
        case waits
        /// Nothing has moved for so long, which is to be said now; it is given up after so much more, nil = never.
        case stalled(Duration, left: Duration?)
        /// Nothing has moved for so long, which is as long as it may.
        case givenUp(Duration)
    }

    /// After how long a stall is said first. Then after twice as long, and so on: a wait of days takes a few lines.
    static let firstWord = Duration.seconds(3)

    private let patience: Duration?
    private var last: MonotonicTime
    private var bytes: UInt64?
    private var nextWord = Self.firstWord

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
        if hasMoved || mayRest || progress.time > last {
            last = hasMoved || mayRest ? now : progress.time
            nextWord = Self.firstWord
        }
        let quiet = now.since(last)
        if let patience, quiet >= patience { return .givenUp(quiet) }
        guard quiet >= nextWord else { return .waits }
        while nextWord <= quiet { nextWord = nextWord * 2 }
        return .stalled(quiet, left: patience.map { $0 - quiet })
    }
}
