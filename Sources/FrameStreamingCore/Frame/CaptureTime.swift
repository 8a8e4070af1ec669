/// When a picture was taken, with the clock.
public struct CaptureTime: Hashable, Sendable {
    /// Which clock a stamp was read from.
    @nonexhaustive
    public enum Clock: String, Sendable, CustomStringConvertible {
        /// CLOCK_MONOTONIC of the machine that took the picture.
        case monotonic
        /// CLOCK_REALTIME of the machine that took the picture: jumps when the clock is set.
        case realtime
        /// Some clock that the driver did not name: good for differences at most.
        case unknown

        /// The clock's name.
        public var description: String { rawValue }
    }

    /// Which moment of the exposure a stamp marks (V4L2_BUF_FLAG_TSTAMP_SRC_SOE and _EOF).
    public enum Edge: String, Sendable, CustomStringConvertible {
        /// The exposure's start.
        case startOfExposure
        /// The moment when the last byte of the frame had arrived from the sensor.
        case endOfFrame
        /// Not known.
        case unspecified

        /// The edge's name.
        public var description: String { rawValue }
    }

    /// Nanoseconds on the clock.
    package var nanoseconds: Int64
    /// The clock.
    public var clock: Clock
    /// The moment of the exposure.
    public var edge: Edge
    /// By how much the stamp may be wrong, either way, because it was translated from another
    /// machine's clock; zero for a stamp of this machine's own.
    public var error: Duration

    /// What the clock read: the time since its start, which for CLOCK_REALTIME is 1970.
    public var reading: Duration { .nanoseconds(nanoseconds) }

    /// A stamp of any clock. Clamped to 292 years.
    public init(reading: Duration, clock: Clock, edge: Edge = .unspecified) {
        self.init(nanoseconds: reading.wholeNanoseconds, clock: clock, edge: edge)
    }

    /// A stamp with its clock.
    package init(
        nanoseconds: Int64, clock: Clock = .monotonic, edge: Edge = .unspecified, error: Duration = .zero
    ) {
        self.nanoseconds = nanoseconds
        self.clock = clock
        self.edge = edge
        self.error = error
    }

    /// A stamp of CLOCK_MONOTONIC.
    public init(_ time: MonotonicTime, edge: Edge = .unspecified, error: Duration = .zero) {
        self.init(nanoseconds: time.nanoseconds, clock: .monotonic, edge: edge, error: error)
    }
}
