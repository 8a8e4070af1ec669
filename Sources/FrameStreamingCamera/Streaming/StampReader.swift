internal import CV4L2
internal import FrameStreamingCore

/// Turns a driver's timestamps into capture times.
struct StampReader: Hashable, Sendable {
    private var last: Int64?

    /// No image waits in a driver for longer than this, in nanoseconds.
    private static let oldest: Int64 = 10_000_000_000

    /// Returns the capture time, and whether it is `now` because the timestamp is impossible.
    ///
    /// - Parameters:
    ///   - stamp: The driver's timestamp, in nanoseconds.
    ///   - flags: The buffer's flags, which name the clock and the edge.
    ///   - now: The time on CLOCK_MONOTONIC when the buffer was dequeued.
    mutating func captureTime(stamp: Int64, flags: UInt32, now: MonotonicTime) -> (time: CaptureTime, isReplaced: Bool)
    {
        let isMonotonic = flags & UInt32(V4L2_BUF_FLAG_TIMESTAMP_MASK) == UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
        let age = now.nanoseconds &- stamp
        var isPlausible = stamp > 0 && age >= 0 && age < Self.oldest
        // If the driver does not name its clock, timestamps that go back are not CLOCK_MONOTONIC's.
        if !isMonotonic, let last { isPlausible = isPlausible && stamp >= last }
        guard isPlausible else {
            last = nil
            return (CaptureTime(now, edge: .unspecified), true)
        }
        last = stamp
        let isStart = flags & UInt32(V4L2_BUF_FLAG_TSTAMP_SRC_MASK) == UInt32(V4L2_BUF_FLAG_TSTAMP_SRC_SOE)
        let edge: CaptureTime.Edge = !isMonotonic ? .unspecified : isStart ? .startOfExposure : .endOfFrame
        return (CaptureTime(nanoseconds: stamp, clock: .monotonic, edge: edge), false)
    }
}
