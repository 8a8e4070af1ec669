package import FrameStreamingCore

/// When the next picture of a file is due: start + n / rate, computed from the start each time, so that no error adds up.
///
/// A value without a clock of its own.
package struct Pacer: Hashable, Sendable {
    package let rate: FrameRate
    /// When the picture `index` 0 was due; nil before the first.
    private var anchor: MonotonicTime?
    private var index: UInt64 = 0

    /// Behind by more than this, it starts anew instead of bursting until it has caught up.
    package static let patience = Duration.seconds(1)

    package init(rate: FrameRate) { self.rate = rate }

    /// When the next picture is due, told at `now`. The first is due at once.
    package mutating func due(now: MonotonicTime) -> MonotonicTime {
        if let anchor {
            let due = anchor.advanced(by: .nanoseconds(rate.nanoseconds(ofFrame: index)))
            if now.since(due) <= Self.patience { return due }
        }
        anchor = now
        index = 0
        return now
    }

    /// The picture that was due was handed out.
    package mutating func handedOut() { index += 1 }
}

extension Pacer {
    /// Returns when the next picture is due.
    ///
    /// - Throws: `timedOut` at `deadline`, where that comes first.
    package mutating func wait(on clock: any FrameClock, until deadline: Deadline) throws(FrameStreamingError) {
        try Self.sleep(until: due(now: clock.now), on: clock, deadline: deadline)
    }

    /// Returns at `due`.
    ///
    /// - Throws: `timedOut` at `deadline`, where that comes first.
    static func sleep(
        until due: MonotonicTime, on clock: any FrameClock, deadline: Deadline
    ) throws(FrameStreamingError) {
        while clock.now < due {
            guard let end = deadline.time, end < due else {
                clock.sleep(until: due)
                continue
            }
            if clock.now < end { clock.sleep(until: end) }
            // A sleep may return late, and the picture may be due by then.
            if clock.now < due { throw .timedOut("the next picture's time") }
        }
    }
}
