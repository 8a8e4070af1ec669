public import FrameStreamingCore

/// The frame number as the blocks of the test pattern encode it: 48 bits of the number, then 16
/// check bits.
enum PatternNumber {
    static let bits = 64
    static let bitsPerRow = 32
    private static let numberBits = 48

    static func word(for number: UInt64) -> UInt64 {
        let value = number & (1 << UInt64(numberBits) - 1)
        return value << 16 | UInt64(check(value))
    }

    static func number(in word: UInt64) -> UInt64? {
        let value = word >> 16
        return UInt64(check(value)) == word & 0xFFFF ? value : nil
    }

    /// Fibonacci hashing: the upper bits of the product depend on every bit of the number. The
    /// constant makes a black frame an invalid number.
    private static func check(_ value: UInt64) -> UInt16 {
        UInt16(truncatingIfNeeded: ((value ^ 0x5A5A_A5A5_5A5A) &* 0x9E37_79B9_7F4A_7C15) >> 48)
    }
}

extension TestPattern {
    /// The smallest width with room for blocks that a program can read.
    public static let smallestReadableWidth = 128
    /// The smallest height with room for blocks that a program can read.
    public static let smallestReadableHeight = 32

    /// Reads the number of a frame back, modulo 2^48. Works after lossy compression too, and in any
    /// of ``pixelFormats``.
    ///
    /// - Returns: nil where the frame is not a test pattern, is smaller than
    ///   ``smallestReadableWidth`` or ``smallestReadableHeight``, is compressed, or is too
    ///   distorted.
    public static func frameNumber(in frame: Frame) -> UInt64? {
        let format = frame.format
        guard let strip = PatternLayout(width: format.width, height: format.height).strip,
            let luma = LumaSampling(format.pixelFormat)
        else { return nil }
        let plane = frame.plane(0)
        var word: UInt64 = 0
        for bit in 0..<PatternNumber.bits {
            let block = strip.block(bit)
            // Only the middle half of the block each way, because the edges ring.
            let (left, top) = (block.x + block.width / 4, block.y + block.height / 4)
            let (across, down) = (max(1, block.width / 2), max(1, block.height / 2))
            var sum = 0
            for y in top..<top + down {
                let row = plane.row(y)
                for x in left..<left + across { sum += luma.sample(in: row, x: x) }
            }
            // Half way between black and white in either colour range, within two steps.
            word = word << 1 | (sum >= 126 * across * down ? 1 : 0)
        }
        return PatternNumber.number(in: word)
    }
}

/// Locates the brightness of a pixel in the first plane of a format.
private struct LumaSampling {
    let pixelStride: Int
    let offset: Int
    /// Whether the brightness is the mean of three bytes, which suffices to tell black from white.
    let isRGB: Bool

    init?(_ format: PixelFormat) {
        switch format {
        case .i420, .yv12, .nv12, .nv21, .i422, .i444, .gray8: (pixelStride, offset, isRGB) = (1, 0, false)
        case .yuyv: (pixelStride, offset, isRGB) = (2, 0, false)
        case .uyvy: (pixelStride, offset, isRGB) = (2, 1, false)
        case .rgb24, .bgr24: (pixelStride, offset, isRGB) = (3, 0, true)
        case .rgba32, .bgra32: (pixelStride, offset, isRGB) = (4, 0, true)
        default: return nil
        }
    }

    func sample(in row: Span<UInt8>, x: Int) -> Int {
        let start = x * pixelStride + offset
        guard isRGB else { return Int(row[start]) }
        return (Int(row[start]) + Int(row[start + 1]) + Int(row[start + 2])) / 3
    }
}
