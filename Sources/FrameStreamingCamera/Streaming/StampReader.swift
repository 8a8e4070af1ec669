internal import CV4L2
internal import FrameStreamingCore

/// Makes capture times of drivers' stamps.
struct StampReader: Hashable, Sendable {
    private var last: Int64?

    /// No picture waits in a driver for so long.
    private static let oldest: Int64 = 10_000_000_000

    /// - Parameters:
    ///   - stamp: The driver's, in nanoseconds.
    ///   - flags: Of its buffer: they name the clock and the edge.
    ///   - now: CLOCK_MONOTONIC when the buffer was taken.
    /// - Returns: The capture time, and whether it is `now` because the stamp cannot be right.
    mutating func captureTime(stamp: Int64, flags: UInt32, now: MonotonicTime) -> (time: CaptureTime, isReplaced: Bool)
    {
        let isMonotonic = flags & UInt32(V4L2_BUF_FLAG_TIMESTAMP_MASK) == UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
        let age = now.nanoseconds &- stamp
        var isPlausible = stamp > 0 && age >= 0 && age < Self.oldest
        // A driver that does not name its clock is believed only as long as its stamps go on like CLOCK_MONOTONIC's.
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
