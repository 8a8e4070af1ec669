internal import FrameStreamingCore

/// Decides when a connection may read on, so that it reads no more than a number of bytes a second:
/// `(bytes read, now) -> when`, without a clock of its own.
///
/// The rate that was not used lately, of a quarter of a second at most, may be used at once. While a
/// connection does not read, TCP holds its sender back, and with it the frames: a sender of this
/// package then sends fewer, and the newest.
struct ByteRateLimit: Hashable, Sendable {
    /// Bytes a second.
    private let rate: UInt64
    /// When all that was read would have arrived at the rate.
    private var freeAt: Int64 = .min

    /// Below this rate peers may take a connection for dead: see ``SilenceDetector/slowest``.
    static let lowest = Int(SilenceDetector.slowest)
    /// The time whose rate may be saved up.
    private static let burst: Int64 = 250_000_000
    private static let second: UInt64 = 1_000_000_000

    /// - Parameter rate: Bytes a second, at least 1.
    init(_ rate: Int) { self.rate = UInt64(max(1, rate)) }

    /// The most bytes to read at once: those of a tenth of a second, so that no pause is long.
    var largestRead: Int { Int(clamping: max(1, rate / 10)) }

    /// When to read on; nil = now.
    func pause(at now: MonotonicTime) -> MonotonicTime? {
        freeAt > now.nanoseconds ? MonotonicTime(nanoseconds: freeAt) : nil
    }

    /// Notes bytes that were read.
    mutating func take(_ bytes: Int, at now: MonotonicTime) {
        let product = UInt64(max(0, bytes)).multipliedFullWidth(by: Self.second)
        let time = product.high < rate ? rate.dividingFullWidth(product).quotient : .max
        let start = max(freeAt, now.nanoseconds.addingClamped(-Self.burst))
        freeAt = start.addingClamped(Int64(clamping: time))
    }
}
