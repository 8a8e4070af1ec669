/// How many bits a second the frames of a codec with memory (``FrameCodec/hasMemory``) have at most.
///
/// Within that, ``EncodeSettings/quality`` is the best that is used: pictures that need fewer bytes
/// have fewer.
public struct BitRate: Hashable, Sendable, CustomStringConvertible {
    enum Value: Hashable { case fixed(Int), automatic }
    let value: Value

    private init(value: Value) { self.value = value }

    /// A constant number of bits a second, at least ``smallest``.
    public static func fixed(_ bitsPerSecond: Int) -> BitRate { BitRate(value: .fixed(bitsPerSecond)) }

    /// As many as the link delivers: each frame has the bytes that arrive until the next one, less what
    /// frames before it had too many. It needs a single receiver, because several share one encoding.
    public static let automatic = BitRate(value: .automatic)

    /// The fewest bits a second that may be asked for: 8,000.
    public static let smallest = 8_000
    /// The most bits a second that may be asked for: ten thousand million.
    public static let largest = 10_000_000_000

    /// The constant number of bits a second; nil = automatic.
    public var bitsPerSecond: Int? {
        if case .fixed(let bits) = value { bits } else { nil }
    }

    /// `2000000` or `automatic`.
    public var description: String { bitsPerSecond.map { "\($0)" } ?? "automatic" }

    /// - Throws: `invalidArgument` for a number out of range.
    func check() throws(FrameStreamingError) {
        guard let bits = bitsPerSecond, !(Self.smallest...Self.largest).contains(bits) else { return }
        throw FrameStreamingError(
            .invalidArgument, "the bit rate must be \(Self.smallest) to \(Self.largest) bits a second, not \(bits)")
    }
}
