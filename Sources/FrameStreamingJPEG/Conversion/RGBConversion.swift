internal import FrameStreamingCore

/// Converts lines of RGB and of four inks, for JPEGs whose planes TurboJPEG does not return.
///
/// The weights are those of JFIF (BT.601, full range; ITU-T T.871), with 16 binary places and
/// rounded, as libjpeg has them.
///
/// Unsafe code, safe because: the caller (``TurboDecompressor``) passes lines that have `count`
/// pixels.
enum RGBConversion {
    /// Turns inks into RGB: each ink is stored inverted, as Adobe's programs do and all readers
    /// assume, so that a colour is its ink times black.
    static func inkLine(_ inks: UnsafePointer<UInt8>, to rgb: UnsafeMutablePointer<UInt8>, count: Int) {
        for pixel in 0..<count {
            let black = unsafe UInt32(inks[4 &* pixel &+ 3])
            for colour in 0..<3 {
                let product = unsafe UInt32(inks[4 &* pixel &+ colour]) &* black &+ 127
                // x / 255 = (x + 1 + x >> 8) >> 8 for every x below 65,535.
                unsafe rgb[3 &* pixel &+ colour] = UInt8(
                    truncatingIfNeeded: (product &+ 1 &+ product >> 8) >> 8)
            }
        }
    }

    /// Writes the luma of a line.
    static func lumaLine(_ rgb: UnsafePointer<UInt8>, to luma: UnsafeMutablePointer<UInt8>, count: Int) {
        for pixel in 0..<count {
            let (r, g, b) = unsafe pixelValues(rgb, pixel)
            unsafe luma[pixel] = UInt8(truncatingIfNeeded: (19_595 &* r &+ 38_470 &* g &+ 7_471 &* b &+ 32_768) >> 16)
        }
    }

    /// Writes the chroma of a line, for each pixel.
    static func chromaLine(
        _ rgb: UnsafePointer<UInt8>, toU u: UnsafeMutablePointer<UInt8>, _ v: UnsafeMutablePointer<UInt8>, count: Int
    ) {
        // 128 with 16 binary places, and a half less the smallest part, so that 255 is the most.
        let offset: Int32 = 128 << 16 + 32_767
        for pixel in 0..<count {
            let (r, g, b) = unsafe pixelValues(rgb, pixel)
            unsafe u[pixel] = UInt8(truncatingIfNeeded: (-11_059 &* r &- 21_709 &* g &+ 32_768 &* b &+ offset) >> 16)
            unsafe v[pixel] = UInt8(truncatingIfNeeded: (32_768 &* r &- 27_439 &* g &- 5_329 &* b &+ offset) >> 16)
        }
    }

    /// Writes a line of packed pixels in another order.
    static func packedLine(
        _ rgb: UnsafePointer<UInt8>, to line: UnsafeMutablePointer<UInt8>, _ format: PixelFormat, count: Int
    ) {
        let isReversed = format == .bgr24 || format == .bgra32
        let size = format == .rgba32 || format == .bgra32 ? 4 : 3
        for pixel in 0..<count {
            let (from, to) = (3 &* pixel, size &* pixel)
            unsafe line[to] = rgb[from &+ (isReversed ? 2 : 0)]
            unsafe line[to &+ 1] = rgb[from &+ 1]
            unsafe line[to &+ 2] = rgb[from &+ (isReversed ? 0 : 2)]
            if size == 4 { unsafe line[to &+ 3] = 255 }
        }
    }

    @inline(__always)
    private static func pixelValues(_ rgb: UnsafePointer<UInt8>, _ pixel: Int) -> (Int32, Int32, Int32) {
        unsafe (Int32(rgb[3 &* pixel]), Int32(rgb[3 &* pixel &+ 1]), Int32(rgb[3 &* pixel &+ 2]))
    }
}
