/// Elements of Matroska's files (RFC 8794).
enum EBML {
    /// An element of a known size: its name, its size, and its content.
    static func element(_ id: UInt32, _ content: [UInt8]) -> [UInt8] {
        var bytes = name(id)
        bytes += size(content.count)
        return bytes + content
    }

    static func element(_ id: UInt32, number value: UInt64) -> [UInt8] {
        var content: [UInt8] = []
        content.append(bigEndian: value, bytes: max(1, (71 - value.leadingZeroBitCount) / 8))
        return element(id, content)
    }

    static func element(_ id: UInt32, text: String) -> [UInt8] { element(id, Array(text.utf8)) }

    /// A number with a fraction, in eight bytes.
    static func element(_ id: UInt32, fraction value: Double) -> [UInt8] {
        var content: [UInt8] = []
        content.append(bigEndian: value.bitPattern)
        return element(id, content)
    }

    /// An element of which players take no notice, with `count` bytes in all, 9 at least.
    static func void(_ count: Int) -> [UInt8] {
        [0xEC, 0x01] + size(count - 9, bytes: 7) + [UInt8](repeating: 0, count: count - 9)
    }

    /// The name of an element, which states its own length.
    static func name(_ id: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt64(id), bytes: (39 - id.leadingZeroBitCount) / 8)
        return bytes
    }

    /// A size in as few bytes as possible. The largest number of each length means that the size is
    /// not known.
    static func size(_ value: Int) -> [UInt8] {
        var count = 1
        while count < 8, value >= (1 << (7 * count)) - 1 { count += 1 }
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt64(value) | 1 << UInt64(7 * count), bytes: count)
        return bytes
    }

    /// A size in eight bytes.
    static func longSize(_ value: Int) -> [UInt8] { [0x01] + size(value, bytes: 7) }

    /// The size of an element whose end is not known yet.
    static let unknownSize: [UInt8] = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]

    private static func size(_ value: Int, bytes count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt64(value), bytes: count)
        return bytes
    }
}
