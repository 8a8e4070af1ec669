/// How long to wait before the next attempt to connect: a random time below a limit that doubles with each failure ("full jitter":
/// many peers that lost the same server do not come back all at once), 250 ms at first and 8 s at most.
///
/// ```swift
/// var delay = ReconnectDelay()
/// while true {
///     // ... an attempt; after 10 s or more of healthy streaming: delay.reset()
///     wait(delay.next())
/// }
/// ```
public struct ReconnectDelay: Hashable, Sendable {
    /// The first wait's limit.
    public static let shortest = Duration.milliseconds(250)
    /// The limit that is never passed.
    public static let longest = Duration.seconds(8)
    /// A connection that streamed this long counts as healthy.
    public static let healthy = Duration.seconds(10)

    private var failures = 0

    /// No failure so far.
    public init() {}

    /// The wait before the next attempt.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// The wait before the next attempt, for tests with a generator of their own.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let limit = failures < 5 ? min(Self.shortest * (1 << failures), Self.longest) : Self.longest
        failures += 1
        return .nanoseconds(Int64.random(in: 0...limit.wholeNanoseconds, using: &generator))
    }

    /// The connection was healthy: the next failure is the first again.
    public mutating func reset() { failures = 0 }
}
