/// When the next trial of a larger window may begin: each failure doubles
/// the wait, until the link changes.
struct HoldOff: Sendable {
    /// The earliest time of the next trial, in nanoseconds.
    private(set) var until = Int64.min
    /// Until when a failed trial counts as proof that the window suffices.
    private(set) var failedUntil = Int64.min
    private var next = Self.shortest
    /// The ack time and the size of frames when the last trial failed.
    private var failed: (ackTime: Int64, bytes: Int64)?

    private var inconclusive = 0

    /// The fewest frames between two trials, because a trial makes one or two frames older.
    private static let framesPerTrial: Int64 = 40
    private static let shortest: Int64 = 4_000_000_000
    private static let longest: Int64 = 60_000_000_000

    mutating func wait(until time: Int64) { until = max(until, time) }

    /// Notes an inconclusive trial. Each in a row doubles the wait, beginning with a second.
    mutating func trialWasInconclusive(ackTime: Int64, at now: Int64) {
        let wait = Int64(1_000_000_000) << Int64(min(inconclusive, 4))
        inconclusive += 1
        until = max(until, now + max(wait, min(Self.framesPerTrial / 2 * ackTime, Self.shortest)))
    }

    mutating func trialSucceeded() { inconclusive = 0 }

    mutating func trialFailed(ackTime: Int64, bytes: Int64, at now: Int64) {
        inconclusive = 0
        failed = (ackTime, bytes)
        failedUntil = now + min(max(next, Self.framesPerTrial * ackTime), Self.longest)
        until = max(until, failedUntil)
        next = min(2 * next, Self.longest)
    }

    /// Forgets failed trials if the ack time or the size of frames has
    /// changed since. Returns whether it did.
    mutating func noticeChange(ackTime: Int64, bytes: Int64) -> Bool {
        guard let failed else { return false }
        guard abs(ackTime - failed.ackTime) > failed.ackTime / 3 || abs(bytes - failed.bytes) > failed.bytes / 3 else {
            return false
        }
        self.failed = nil
        next = Self.shortest
        until = .min
        failedUntil = .min
        return true
    }
}
