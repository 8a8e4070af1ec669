internal import FrameStreamingCore

/// Computes the stamps of a film's frames from their capture times. A value without a clock.
///
/// Capture times may come from another machine, and may be anything. A stamp is always later than
/// the one before it.
struct FilmTimeline: Hashable, Sendable {
    private struct Last: Hashable {
        /// In microseconds since the first frame.
        var stamp: Int64
        /// The latest capture time so far, in nanoseconds.
        var moment: Int64
        var arrival: Int64
    }

    /// The capture time that has the stamp zero.
    private var origin: Int64 = 0
    private var last: Last?
    /// From the capture of the last frame that stated its time to its arrival.
    private var delay: Int64 = 0

    /// A capture time that goes back by more is that of another clock. The same holds for one that
    /// goes forward by more than this beyond the time that has passed here.
    static let longestStepBack: Int64 = 1_000_000_000
    static let longestStepForward: Int64 = 60_000_000_000

    /// The stamp of the last frame; nil before the first.
    var lastStamp: Int64? { last?.stamp }

    /// Returns when a frame was captured, in nanoseconds of the capture times' clock. A frame that
    /// does not state it was captured as long before its arrival as the one before.
    private func moment(_ captureTime: CaptureTime?, _ arrival: MonotonicTime) -> Int64 {
        if let captureTime, captureTime.clock == .monotonic { return captureTime.nanoseconds }
        return arrival.nanoseconds.minus(delay)
    }

    /// Returns the stamp of the next frame, in microseconds since the first.
    mutating func stamp(_ captureTime: CaptureTime?, arrival: MonotonicTime) -> Int64 {
        let moment = moment(captureTime, arrival)
        delay = arrival.nanoseconds.minus(moment)
        guard let last else {
            origin = moment
            last = Last(stamp: 0, moment: moment, arrival: arrival.nanoseconds)
            return 0
        }
        let step = moment.minus(last.moment)
        let waited = max(0, arrival.nanoseconds.minus(last.arrival))
        let isJump =
            step < -Self.longestStepBack || step > Self.longestStepForward && step - Self.longestStepForward > waited
        if isJump { origin = moment.minus(last.stamp &* 1_000).minus(max(1_000, waited)) }
        let since = moment.minus(origin)
        // Rounded, so that a stamp is never wrong by more than half a microsecond.
        let stamp = max(last.stamp &+ 1, since / 1_000 + (since % 1_000 >= 500 ? 1 : 0))
        self.last = Last(
            stamp: stamp, moment: isJump ? moment : max(moment, last.moment), arrival: arrival.nanoseconds)
        return stamp
    }
}

extension Int64 {
    /// The difference, clamped.
    fileprivate func minus(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}
