/// The wait before the next attempt, or its upper limit: 250 ms, then twice as long
/// after each failure, up to `longest`.
package struct BackOff: Hashable, Sendable {
    /// The first wait.
    package static let shortest = Duration.milliseconds(250)

    private let longest: Duration
    private var failures = 0

    package init(upTo longest: Duration) { self.longest = longest }

    /// The wait before the next attempt.
    package mutating func next() -> Duration {
        let wait = failures < 16 ? min(Self.shortest * (1 << failures), longest) : longest
        failures += 1
        return wait
    }

    /// Makes the next failure count as the first, after a healthy time.
    package mutating func reset() { failures = 0 }
}
