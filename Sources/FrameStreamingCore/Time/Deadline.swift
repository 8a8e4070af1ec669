internal import FrameStreamingSystem

/// A moment on CLOCK_MONOTONIC, in nanoseconds: the clock that V4L2 stamps frames with.
public struct MonotonicTime: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Nanoseconds since an arbitrary start, the same for all processes of one boot.
    public var nanoseconds: Int64

    /// The moment `nanoseconds` after the clock's start.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// This moment.
    public static var now: MonotonicTime { MonotonicTime(nanoseconds: monotonicNow()) }

    /// Earlier moments are less.
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The time from `earlier` to this.
    public func since(_ earlier: MonotonicTime) -> Duration { .nanoseconds(nanoseconds &- earlier.nanoseconds) }

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

extension Duration {
    /// Nanoseconds, clamped to 64 bits (292 years).
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carried ? (seconds < 0 ? .min : .max) : sum
    }
}
