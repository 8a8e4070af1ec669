/// Expands samples from limited to full range.
///
/// All values fit 16 bits, so that vector code has eight lanes even with SSE2. Each step is written
/// so that it becomes one vector instruction: a saturating difference, the upper half of a product,
/// a saturating pack.
protocol RangeExpansion {
    /// Expands a sample (0...255). It has 16 bits, because samples of interleaved formats have as
    /// many after splitting: one loop splits and expands without packing in between.
    static func expand(_ sample: UInt16) -> UInt8
    /// Expands the mean of two samples, given their sum.
    static func expandMean(_ sum: UInt16) -> UInt8
    /// Expands a sample of a plane, as `expand` does, with the steps that are fastest for adjacent
    /// samples.
    static func map(_ sample: UInt8) -> UInt8
}

/// Leaves full range unchanged.
enum NoExpansion: RangeExpansion {
    @inline(__always) static func expand(_ sample: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: sample) }
    @inline(__always) static func expandMean(_ sum: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: (sum &+ 1) >> 1) }
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 { sample }
}

/// Expands luma of limited range (16...235) to 0...255: (y - 16) * 255 / 219, clamped and exactly
/// rounded.
///
/// With x = y - 16 this is x + round(12x / 73), and 12 / 73 = 10773 / 65536. The upper half of (x +
/// 3) * 10776 is exact for every x of 0...219 (found by trying all such pairs, and tested at every
/// value).
enum LumaExpansion: RangeExpansion {
    @inline(__always) static func expand(_ sample: UInt16) -> UInt8 {
        let x = WordArithmetic.difference(sample, 16)
        return WordArithmetic.clamped(x &+ WordArithmetic.upperHalf(x &+ 3, 10776))
    }

    @inline(__always) static func expandMean(_ sum: UInt16) -> UInt8 { expand((sum &+ 1) >> 1) }
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 { expand(UInt16(sample)) }
}

/// Expands chroma of limited range (16...240, 128 = none) to 0...255: (c - 128) * 255 / 224 + 128,
/// clamped and exactly rounded. The two halves, at 16 and 240, are rounded outwards, to 0 and 255.
///
/// Counted from the upper end it is 255 - floor((240 - c) * 255 / 224). The sum of two samples is
/// used, so that their mean is not rounded before it is expanded. 37303 / 65536 is just above half
/// of 255 / 224.
enum ChromaExpansion: RangeExpansion {
    @inline(__always) static func expand(_ sample: UInt16) -> UInt8 { expandMean(sample << 1) }

    @inline(__always) static func expandMean(_ sum: UInt16) -> UInt8 {
        // Signed, because SSE2 compares only signed words.
        let inRange = UInt16(bitPattern: max(min(Int16(bitPattern: sum), 480), 32))
        return UInt8(truncatingIfNeeded: ~WordArithmetic.upperHalf(480 &- inRange, 37303))
    }

    /// With x = c - 16 the result is x + 31x / 224, rounded up, and 31 / 224 = 70.86 / 512.
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 {
        let x = UInt16(min(max(sample, 16), 240) &- 16)
        return UInt8(truncatingIfNeeded: x &+ (x &* 71 &- x >> 3 &+ 506) >> 9)
    }
}

extension RangeExpansion {
    /// Writes `target[i] = map(source[i])` for lines that do not overlap.
    ///
    /// Unsafe code, safe as that of ``SampleRows`` is.
    @inline(__always)
    static func expandLine(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, count: Int) {
        for i in 0..<count { unsafe target[i] = map(source[i]) }
    }
}
