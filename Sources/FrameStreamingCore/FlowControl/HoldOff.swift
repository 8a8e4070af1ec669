/// When the next trial of a larger window may begin: each that fails doubles the wait, until the link is another.
struct HoldOff: Sendable {
    /// No trial before this, in nanoseconds.
    private(set) var until = Int64.min
    /// Until then a trial that failed counts: the window is what the link needs.
    private(set) var failedUntil = Int64.min
    private var next = Self.shortest
    /// What acknowledgements took and frames were long when the last trial failed.
    private var failed: (ackTime: Int64, bytes: Int64)?

    private var inconclusive = 0

    /// A trial makes one frame or two older: one in so many is few.
    private static let framesPerTrial: Int64 = 40
    private static let shortest: Int64 = 4_000_000_000
    private static let longest: Int64 = 60_000_000_000

    mutating func wait(until time: Int64) { until = max(until, time) }

    /// A trial said nothing. Each that follows another such waits twice as long, from a second up.
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

    /// What was true of the link when a trial failed need not be true of another link, or of frames of another size. True: so it is.
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
