package import FrameStreaming

/// Judges a run by its figures: whether it counts as failed although no call failed. A value without
/// a clock; Docs/ExitStatus.md has the rules.
///
/// An interrupted run may have ended before anything could arrive, so that alone is no failure of it.
/// Pictures that could not be decoded are one, however the run ended.
package struct RunVerdict: Sendable {
    private let isInterrupted: Bool
    private let failsOnDrop: Bool
    private let remedy: String

    package static let usualRemedy =
        "correct the sender's pictures, or keep them as they are with --record FILE.mjpg or --decode none"

    /// - Parameters:
    ///   - isInterrupted: Whether Ctrl-C or SIGTERM ended the run.
    ///   - failsOnDrop: Whether one missing picture is a failure (`--fail-on-drop`).
    ///   - remedy: What a user can do about pictures that cannot be decoded.
    package init(isInterrupted: Bool, failsOnDrop: Bool, remedy: String = Self.usualRemedy) {
        self.remedy = remedy
        self.isInterrupted = isInterrupted
        self.failsOnDrop = failsOnDrop
    }

    /// Why the run of a receiver failed, in words for people; empty = it did not.
    package func complaints(about figures: ReceiverStatistics) -> [String] {
        var complaints: [String] = []
        if figures.frames == 0, figures.decodeFailures > 0 {
            complaints.append(
                figures.decodeFailures == 1
                    ? "the only picture that arrived could not be decoded: \(remedy)"
                    : "none of the \(figures.decodeFailures) pictures that arrived could be decoded: \(remedy)"
            )
        } else if figures.frames == 0, figures.bytes > 0 || (figures.skipped ?? 0) > 0, !isInterrupted {
            complaints.append("pictures were sent, and none was consumed here: see the errors above")
        }
        let missing = Self.sum([figures.skipped ?? 0, figures.decodeFailures])
        if failsOnDrop, missing > 0 { complaints.append(Self.missing(missing)) }
        return complaints
    }

    /// Why the run of a sender failed, in words for people; empty = it did not.
    ///
    /// - Parameter leftOut: Pictures of the source that are not in `figures`, because they were
    ///   damaged, or dropped before they were taken.
    package func complaints(about figures: SenderStatistics, leftOut: Int) -> [String] {
        var complaints: [String] = []
        if figures.acknowledged == 0, figures.failed > 0 {
            complaints.append(
                "none of \(counted(figures.produced, "picture")) could be shown: \(figures.failed) could not be encoded here, or not decoded by the receiver; see its errors"
            )
        } else if figures.acknowledged == 0, figures.produced > 0, !isInterrupted {
            complaints.append(
                "none of \(counted(figures.produced, "picture")) was delivered: see to the receiver, whose end the summary has"
            )
        }
        let dropped = figures.dropped
        // A run that is interrupted always has pictures on their way.
        let atTheEnd = isInterrupted ? 0 : Self.sum([dropped.disconnected, figures.lost])
        let missing = Self.sum([dropped.replaced, dropped.deadline, dropped.rate, figures.failed, leftOut, atTheEnd])
        if failsOnDrop, missing > 0 { complaints.append(Self.missing(missing)) }
        return complaints
    }

    private static func missing(_ count: Int) -> String {
        "\(counted(count, "picture")) \(count == 1 ? "was" : "were") dropped, undecodable or lost, and --fail-on-drop allows none"
    }

    /// A peer names some of these counts, so their sum may be too large for a number.
    private static func sum(_ counts: [Int]) -> Int {
        counts.reduce(0) { sum, count in
            let (result, isOverflow) = sum.addingReportingOverflow(max(0, count))
            return isOverflow ? .max : result
        }
    }
}
