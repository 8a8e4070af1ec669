/// Counts damaged frames, and decides when to report them: the first at once, and those after it
/// once a minute.
///
/// A value without a clock of its own.
package struct DamageReport: Sendable {
    /// The time between two reports.
    package static let interval = Duration.seconds(60)

    /// All frames that were damaged so far.
    package private(set) var total = 0
    /// The first fault.
    package private(set) var first: FrameStreamingError?
    private var latest: FrameStreamingError?
    private var unreported = 0
    private var reportedAt: MonotonicTime?

    package init() {}

    /// Counts a damaged frame.
    package mutating func note(_ error: FrameStreamingError) {
        total &+= 1
        unreported &+= 1
        first = first ?? error
        latest = error
    }

    /// Returns the report that is due; nil = none.
    ///
    /// - Parameter isLast: Whether the input has ended, so that every frame is reported now.
    package mutating func take(at now: MonotonicTime, isLast: Bool = false) -> SourceEvent? {
        guard let error = latest else { return nil }
        if !isLast, let reportedAt, now.since(reportedAt) < Self.interval { return nil }
        defer { (latest, unreported, reportedAt) = (nil, 0, now) }
        return .damaged(count: unreported, latest: error)
    }
}
