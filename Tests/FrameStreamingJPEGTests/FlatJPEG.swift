/// A JPEG of one colour with any sampling factors and component names, which TurboJPEG's encoder
/// does not write. Its Huffman tables are the standard ones and are left out.
struct FlatJPEG {
    var width = 37
    var height = 29
    /// The value of each component in the whole picture.
    var values: [Int]
    /// The sampling factors of each component.
    var factors: [(across: Int, down: Int)]
    var names: [UInt8]
    /// Adobe's transform: 0 = RGB or CMYK, 1 = YCbCr, 2 = YCCK; nil = no Adobe marker.
    var transform: UInt8?

    init(_ values: [Int], _ factors: [(Int, Int)], names: [UInt8]? = nil, transform: UInt8? = nil) {
        self.values = values
        self.factors = factors.map { (across: $0.0, down: $0.1) }
        self.names = names ?? values.indices.map { UInt8($0 + 1) }
        self.transform = transform
    }

    var bytes: [UInt8] {
        var jpeg: [UInt8] = [0xFF, 0xD8]
        if let transform {
            jpeg += [0xFF, 0xEE, 0, 14] + Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, transform]
        }
        jpeg += [0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 1, count: 64)
        let count = UInt8(values.count)
        jpeg += [0xFF, 0xC0, 0, 8 + 3 * count, 8, UInt8(height >> 8), UInt8(height & 255)]
        jpeg += [UInt8(width >> 8), UInt8(width & 255), count]
        for (name, factor) in zip(names, factors) { jpeg += [name, UInt8(factor.across << 4 | factor.down), 0] }
        jpeg += [0xFF, 0xDA, 0, 6 + 2 * count, count] + names.flatMap { [$0, 0] } + [0, 63, 0]
        return jpeg + data + [0xFF, 0xD9]
    }

    /// In each unit, the blocks of all components: the first has the value, all others the same.
    private var data: [UInt8] {
        let across = 8 * (values.count == 1 ? 1 : factors.map(\.across).max() ?? 1)
        let down = 8 * (values.count == 1 ? 1 : factors.map(\.down).max() ?? 1)
        var bits = ""
        for unit in 0..<((width + across - 1) / across) * ((height + down - 1) / down) {
            for (value, factor) in zip(values, factors) {
                for block in 0..<(values.count == 1 ? 1 : factor.across * factor.down) {
                    // The mean of 64 samples is an eighth of the DC coefficient.
                    bits += difference(unit == 0 && block == 0 ? 8 * (value - 128) : 0) + "1010"
                }
            }
        }
        bits += String(repeating: "1", count: (8 - bits.count % 8) % 8)
        let digits = Array(bits)
        return stride(from: 0, to: digits.count, by: 8).flatMap { start -> [UInt8] in
            let byte = UInt8(String(digits[start..<start + 8]), radix: 2) ?? 0
            return byte == 0xFF ? [0xFF, 0] : [byte]
        }
    }

    /// The code of a DC difference (T.81, F.1.2.1 and table K.3).
    private func difference(_ value: Int) -> String {
        let codes = [
            "00", "010", "011", "100", "101", "110", "1110", "11110", "111110", "1111110", "11111110", "111111110",
        ]
        let size = value == 0 ? 0 : Int.bitWidth - abs(value).leadingZeroBitCount
        guard size > 0 else { return codes[0] }
        let number = value > 0 ? value : value + (1 << size) - 1
        let digits = String(number, radix: 2)
        return codes[size] + String(repeating: "0", count: size - digits.count) + digits
    }
}
