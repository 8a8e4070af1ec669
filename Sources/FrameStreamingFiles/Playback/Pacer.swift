package import FrameStreamingCore

/// Computes when the next frame of a file is due: start + n / rate. Each time is computed from the
/// start, so that no error accumulates.
///
/// A value without a clock of its own.
package struct Pacer: Hashable, Sendable {
    package let rate: FrameRate
    /// The due time of the frame with `index` 0; nil before the first.
    private var anchor: MonotonicTime?
    private var index: UInt64 = 0

    /// A pacer that is later than this restarts its schedule instead of sending a burst.
    package static let patience = Duration.seconds(1)

    package init(rate: FrameRate) { self.rate = rate }

    /// Returns when the next frame is due, given the time `now`. The first is due at once.
    package mutating func due(now: MonotonicTime) -> MonotonicTime {
        if let anchor {
            let due = anchor.advanced(by: .nanoseconds(rate.nanoseconds(ofFrame: index)))
            if now.since(due) <= Self.patience { return due }
        }
        anchor = now
        index = 0
        return now
    }

    /// Records that the due frame was handed out.
    package mutating func handedOut() { index += 1 }
}

extension Pacer {
    /// Sleeps until the next frame is due.
    ///
    /// - Throws: `timedOut` at `deadline`, where that comes first.
    package mutating func wait(on clock: any FrameClock, until deadline: Deadline) throws(FrameStreamingError) {
        try Self.sleep(until: due(now: clock.now), on: clock, deadline: deadline)
    }

    /// Sleeps until `due`.
    ///
    /// - Throws: `timedOut` at `deadline`, where that comes first.
    package static func sleep(
        until due: MonotonicTime, on clock: any FrameClock, deadline: Deadline
    ) throws(FrameStreamingError) {
        while clock.now < due {
            guard let end = deadline.time, end < due else {
                clock.sleep(until: due)
                continue
            }
            if clock.now < end { clock.sleep(until: end) }
            // A sleep may return late, and the frame may be due by then.
            if clock.now < due { throw .timedOut("the next picture's time") }
        }
    }
}
