/// How often something may happen: a burst at once, and one more after each interval.
public struct LogRate: Hashable, Sendable {
    /// How many may happen at once after a silence, 1 to 1,000,000.
    public let burst: Int
    /// After how long one more may happen, 1 ns to a day.
    public let interval: Duration

    /// Makes a rate. A value outside its range becomes the nearest one inside.
    public init(burst: Int, interval: Duration) {
        self.burst = min(max(1, burst), 1_000_000)
        self.interval = min(max(.nanoseconds(1), interval), .seconds(86_400))
    }
}

/// A token bucket that begins full, stored as the moment when it will be full again
/// (the generic cell rate algorithm).
struct TokenBucket: Hashable, Sendable {
    private let rate: LogRate
    private var full = MonotonicTime(nanoseconds: .min)

    init(_ rate: LogRate) { self.rate = rate }

    /// Whether no token is missing.
    func isFull(at now: MonotonicTime) -> Bool { full <= now }

    /// Whether there is a token to take.
    func holdsToken(at now: MonotonicTime) -> Bool {
        full <= now.advanced(by: rate.interval * (rate.burst - 1))
    }

    /// Takes a token.
    mutating func takeToken(at now: MonotonicTime) { full = max(full, now).advanced(by: rate.interval) }
}
