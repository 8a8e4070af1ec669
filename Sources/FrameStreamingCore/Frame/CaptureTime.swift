/// When a picture was taken, and by which clock.
public struct CaptureTime: Hashable, Sendable {
    /// Which clock a stamp was read from.
    public struct Clock: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String { case monotonic, realtime, unknown }
        private let value: Value

        /// CLOCK_MONOTONIC of the machine that took the picture.
        public static let monotonic = Clock(value: .monotonic)
        /// CLOCK_REALTIME of the machine that took the picture: jumps when the clock is set.
        public static let realtime = Clock(value: .realtime)
        /// Some clock that the driver did not name: good for differences at most.
        public static let unknown = Clock(value: .unknown)

        /// The clock's name.
        public var description: String { value.rawValue }
    }

    /// Which moment of the exposure a stamp marks (V4L2_BUF_FLAG_TSTAMP_SRC_SOE and _EOF).
    public struct Edge: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String { case startOfExposure, endOfFrame, unspecified }
        private let value: Value

        /// The exposure's start.
        public static let startOfExposure = Edge(value: .startOfExposure)
        /// The moment when the last byte of the frame had come from the sensor.
        public static let endOfFrame = Edge(value: .endOfFrame)
        /// Not told.
        public static let unspecified = Edge(value: .unspecified)

        /// The edge's name.
        public var description: String { value.rawValue }
    }

    /// Nanoseconds on the clock.
    public var nanoseconds: Int64
    /// The clock.
    public var clock: Clock
    /// The moment of the exposure.
    public var edge: Edge

    /// A stamp with its clock.
    public init(nanoseconds: Int64, clock: Clock = .monotonic, edge: Edge = .unspecified) {
        self.nanoseconds = nanoseconds
        self.clock = clock
        self.edge = edge
    }

    /// A stamp of CLOCK_MONOTONIC.
    public init(_ time: MonotonicTime, edge: Edge = .unspecified) {
        self.init(nanoseconds: time.nanoseconds, clock: .monotonic, edge: edge)
    }
}
