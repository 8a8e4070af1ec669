package import FrameStreaming

/// Limits how often something may begin: a burst at once, and then one after each
/// interval. A value without a clock.
package struct StartLimit: Sendable {
    private let burst: Int
    private let interval: Duration
    /// When all of the burst is free again; may be in the past.
    private var freeAgain: MonotonicTime?

    /// - Parameters:
    ///   - burst: How many may begin at once; at least 1.
    ///   - interval: After how long there is room for one more.
    package init(burst: Int, interval: Duration) {
        self.burst = max(1, burst)
        self.interval = interval
    }

    /// Whether one may begin now. If so, it counts as begun.
    package mutating func take(at now: MonotonicTime) -> Bool {
        let from = max(freeAgain ?? now, now)
        guard now.duration(to: from) <= interval * (burst - 1) else { return false }
        freeAgain = from.advanced(by: interval)
        return true
    }

    /// Takes the last start back, because nothing began.
    package mutating func giveBack() {
        freeAgain = freeAgain?.advanced(by: .zero - interval)
    }
}
