package import FrameStreaming

/// How often something may begin: so many at once, and then one more after each
/// interval. A value without a clock.
package struct StartLimit: Sendable {
    private let burst: Int
    private let interval: Duration
    /// When all of the burst would be free again; in the past where it is.
    private var freeAgain: MonotonicTime?

    /// - Parameters:
    ///   - burst: How many may begin at once; at least 1.
    ///   - interval: After how long there is room for one more.
    package init(burst: Int, interval: Duration) {
        self.burst = max(1, burst)
        self.interval = interval
    }

    /// Whether one may begin now; then it counts.
    package mutating func take(at now: MonotonicTime) -> Bool {
        let from = max(freeAgain ?? now, now)
        guard from.since(now) <= interval * (burst - 1) else { return false }
        freeAgain = from.advanced(by: interval)
        return true
    }

    /// Takes the last start back: it came to nothing.
    package mutating func giveBack() {
        freeAgain = freeAgain?.advanced(by: .zero - interval)
    }
}
