internal import FrameStreamingSystem

/// A moment on CLOCK_MONOTONIC, to the nanosecond: the clock that V4L2 stamps frames with.
public struct MonotonicTime: InstantProtocol, Sendable, CustomStringConvertible {
    /// Nanoseconds since the clock's start.
    package var nanoseconds: Int64

    /// The moment `nanoseconds` after the clock's start.
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The moment at which the clock reads `reading`, for a time that another program or a driver
    /// took. Clamped to 292 years.
    public init(reading: Duration) { nanoseconds = reading.wholeNanoseconds }

    /// What the clock reads: the time since its start, which is the same for all processes of one
    /// boot.
    public var reading: Duration { .nanoseconds(nanoseconds) }

    /// This moment.
    public static var now: MonotonicTime { MonotonicTime(nanoseconds: monotonicNow()) }

    /// Earlier moments are less.
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The time from this moment to `later`; negative if that is earlier.
    public func duration(to later: MonotonicTime) -> Duration {
        // Not the difference of two numbers of 64 bits: those of a peer can be too far apart.
        .nanoseconds(later.nanoseconds) - .nanoseconds(nanoseconds)
    }

    /// The time from `earlier` to this.
    package func since(_ earlier: MonotonicTime) -> Duration { earlier.duration(to: self) }

    /// The moment `duration` later; a sum beyond the clock's range is its end.
    public func advanced(by duration: Duration) -> MonotonicTime {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return MonotonicTime(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    /// Seconds with their fraction.
    public var description: String { "\(Double(nanoseconds) / 1e9) s" }
}

/// Until when a call may wait.
public struct Deadline: Hashable, Sendable {
    /// The moment; nil = for ever.
    public let time: MonotonicTime?

    /// A wait without an end of its own: a close or a cancel still ends it.
    public static let never = Deadline(time: nil)

    /// No wait: the call takes only what has arrived.
    public static var now: Deadline { Deadline(time: .now) }

    /// A wait of at most `duration` from now.
    public static func after(_ duration: Duration) -> Deadline {
        Deadline(time: MonotonicTime.now.advanced(by: duration))
    }

    /// A wait until `time`.
    public static func at(_ time: MonotonicTime) -> Deadline { Deadline(time: time) }

    /// Whether it has passed.
    public var hasPassed: Bool { time.map { $0 <= .now } ?? false }

    /// The earlier of the two.
    public func earlier(_ other: Deadline) -> Deadline {
        guard let time else { return other }
        guard let theirs = other.time else { return self }
        return time <= theirs ? self : other
    }

    package var nanoseconds: Int64? { time?.nanoseconds }
}

/// A source of time: the system, or a script in a test
/// (`ScriptedClock` in `FrameStreamingTesting`).
public protocol FrameClock: Sendable {
    /// This moment.
    var now: MonotonicTime { get }
    /// Returns at `time` or later. Callers that must be cancellable wait in slices.
    func sleep(until time: MonotonicTime)
}

/// CLOCK_MONOTONIC.
public struct SystemClock: FrameClock {
    /// The system's clock.
    public init() {}

    /// This moment.
    public var now: MonotonicTime { .now }

    /// Sleeps in the kernel, by absolute time.
    public func sleep(until time: MonotonicTime) { FrameStreamingSystem.sleep(until: time.nanoseconds) }
}
