@testable import FrameStreamingTCP

/// The integers of each message of protocol 1, as Docs/WireProtocol.md has them: for
/// tests that put extremes into each.
struct WireFields {
    let type: WireType
    /// The message as in a correct stream.
    let message: [UInt8]
    /// Where each integer begins in the message, and how many bytes it has.
    let fields: [(offset: Int, width: Int)]

    /// - Parameters:
    ///   - header: The widths of the header's integers, in their order.
    ///   - behind: The widths of those at the start of the payload.
    init(_ type: WireType, _ message: [UInt8], header: [Int], behind: [Int] = []) {
        self.type = type
        self.message = message
        var offset = 0
        var fields: [(offset: Int, width: Int)] = []
        // Every message begins with its type, its flags, and the lengths of its header and payload.
        for width in [1, 1, 2, 4] + header + behind {
            fields.append((offset, width))
            offset += width
        }
        self.fields = fields
    }

    /// The same without the integers that begin at these places.
    init(_ other: WireFields, keeping places: Set<Int>) {
        (type, message) = (other.type, other.message)
        fields = other.fields.filter { !places.contains($0.offset) }
    }

    /// The smallest and the largest numbers of this width, signed and unsigned.
    static func extremes(width: Int) -> [[UInt8]] {
        let rest = [UInt8](repeating: 0, count: width - 1)
        let ones = [UInt8](repeating: 0xFF, count: width - 1)
        return [
            rest + [0], rest + [1], ones + [0xFF], ones + [0xFE],
            // The largest and the smallest signed number.
            [0x7F] + ones, [0x80] + rest,
        ]
    }

    /// The message with each of its integers at each extreme, one at a time.
    var variants: [[UInt8]] {
        fields.flatMap { field in
            Self.extremes(width: field.width).map { value in
                var bytes = message
                bytes.replaceSubrange(field.offset..<field.offset + field.width, with: value)
                return bytes
            }
        }
    }

    /// The message with some of its integers at extremes that `generator` chooses. Type and lengths
    /// stay, or nothing behind them would be read.
    func mixture(using generator: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = message
        for field in fields.dropFirst(4) where Bool.random(using: &generator) {
            let value = Self.extremes(width: field.width).randomElement(using: &generator) ?? []
            bytes.replaceSubrange(field.offset..<field.offset + field.width, with: value)
        }
        return bytes
    }

    /// HELLO or WELCOME behind the magic, which is no number.
    static func hello(_ type: WireType, _ hello: Hello) -> WireFields {
        WireFields(
            type, hello.marshal(type), header: [4, 2, 2, 1, 1, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8], behind: [2])
    }
}

/// Numbers that are the same in each run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var number = state
        number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
        return number ^ (number >> 31)
    }
}
