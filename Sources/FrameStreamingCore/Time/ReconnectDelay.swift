/// How long to wait before the next attempt to connect: a random time below a limit that doubles
/// with each failure, from 250 ms to 8 s. The "full jitter" prevents that many peers that lost
/// the same server return all at once.
///
/// Each attempt that fails waits for ``next()``; one that streamed for ``healthy`` or more calls
/// ``reset()``.
package struct ReconnectDelay: Hashable, Sendable {
    /// The first wait's limit.
    package static let shortest = BackOff.shortest
    /// The largest limit.
    package static let longest = Duration.seconds(8)
    /// A connection that streamed this long counts as healthy.
    package static let healthy = Duration.seconds(10)

    private var limit = BackOff(upTo: Self.longest)

    /// No failure so far.
    package init() {}

    /// The wait before the next attempt.
    package mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// The wait before the next attempt, for tests with a generator of their own.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        .nanoseconds(Int64.random(in: 0...limit.next().wholeNanoseconds, using: &generator))
    }

    /// Makes the next failure count as the first, after a healthy connection.
    package mutating func reset() { limit.reset() }
}
