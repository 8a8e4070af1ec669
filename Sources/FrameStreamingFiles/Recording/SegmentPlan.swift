public import FrameStreamingCore

/// Decides when a recording goes on in another file, so that none becomes too long or too large. A value
/// without files and without a clock.
///
/// A segment begins with a frame that stands alone, so that each can be played by itself. A sender's
/// encoder makes such frames only when it is asked (`ReceiverRequest.keyFrame`).
public struct SegmentPlan: Hashable, Sendable {
    /// What to do with a frame.
    public enum Step: Hashable, Sendable {
        /// Write it to the present segment.
        case goesOn
        /// Write it to the present segment, and ask the sender for a frame that stands alone.
        case asksForKeyFrame
        /// Begin another segment with it.
        case begins
    }

    /// The time after which a segment ends; nil = no limit.
    public let duration: Duration?
    /// The bytes after which a segment ends; nil = no limit.
    public let byteCount: Int?

    private var start: MonotonicTime?
    private var written = 0
    private var askedAt: MonotonicTime?

    /// How long a sender has time for a frame that stands alone before it is asked again.
    private static let patience = Duration.seconds(2)

    /// - Parameters:
    ///   - duration: The time after which a segment ends; nil = no limit.
    ///   - byteCount: The bytes after which a segment ends; nil = no limit. If the sender makes no frame
    ///     that stands alone, a segment nevertheless ends at twice as many, and the next one waits for
    ///     such a frame.
    public init(duration: Duration?, byteCount: Int?) {
        self.duration = duration
        self.byteCount = byteCount
    }

    /// Whether there is a limit.
    public var hasLimit: Bool { duration != nil || byteCount != nil }

    /// Notes the next frame, and returns what to do with it.
    ///
    /// - Parameters:
    ///   - count: The frame's bytes.
    ///   - standsAlone: Whether it depends on no other frame.
    ///   - now: The present time.
    public mutating func next(byteCount count: Int, standsAlone: Bool, at now: MonotonicTime) -> Step {
        guard let start else {
            begin(count, at: now)
            return .goesOn
        }
        let (sum, overflow) = written.addingReportingOverflow(max(0, count))
        let size = overflow ? .max : sum
        let isLong = duration.map { start.duration(to: now) >= $0 } ?? false
        let isLarge = byteCount.map { size > $0 } ?? false
        guard isLong || isLarge else {
            written = size
            return .goesOn
        }
        let isTooLarge = byteCount.map { size / 2 > $0 } ?? false
        if standsAlone || isTooLarge {
            begin(count, at: now)
            return .begins
        }
        written = size
        if let askedAt, askedAt.duration(to: now) < Self.patience { return .goesOn }
        askedAt = now
        return .asksForKeyFrame
    }

    /// Notes that a segment ended for another reason: the next frame begins one.
    public mutating func ended() { start = nil }

    private mutating func begin(_ count: Int, at now: MonotonicTime) {
        start = now
        written = max(0, count)
        askedAt = nil
    }
}
