/// From limited to full range: what becomes of each sample. Everything fits 16 bits, so that vector code has eight
/// lanes also with SSE2, and is put so that each step is one instruction of it: a difference that stops at 0, the upper
/// half of a product, a packing that stops at 255.
protocol RangeExpansion {
    /// Of a sample (0...255). In 16 bits, as those of interleaved formats are when they are taken apart: one loop does
    /// both, and nothing is packed and unpacked in between.
    static func expand(_ sample: UInt16) -> UInt8
    /// Of the mean of two samples, given their sum.
    static func expandMean(_ sum: UInt16) -> UInt8
    /// Of a sample in a plane, as `expand`, in the steps that are fastest where the samples lie side by side.
    static func map(_ sample: UInt8) -> UInt8
}

/// Full range stays as it is.
enum NoExpansion: RangeExpansion {
    @inline(__always) static func expand(_ sample: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: sample) }
    @inline(__always) static func expandMean(_ sum: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: (sum &+ 1) >> 1) }
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 { sample }
}

/// Luma of limited range (16...235) to 0...255: (y - 16) * 255 / 219, clamped and rounded, exactly.
///
/// With x = y - 16 that is x + round(12x / 73), and 12 / 73 is 10773 / 65536: three more than x times 10776 have no x of
/// 0...219 off (found by trying all such pairs, and tested at every value).
enum LumaExpansion: RangeExpansion {
    @inline(__always) static func expand(_ sample: UInt16) -> UInt8 {
        let x = Words.difference(sample, 16)
        return Words.clamped(x &+ Words.upperHalf(x &+ 3, 10776))
    }

    @inline(__always) static func expandMean(_ sum: UInt16) -> UInt8 { expand((sum &+ 1) >> 1) }
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 { expand(UInt16(sample)) }
}

/// Chroma of limited range (16...240, 128 = none) to 0...255: (c - 128) * 255 / 224 + 128, clamped and rounded, exactly
/// (the two halves, at 16 and 240, go outwards, to 0 and 255).
///
/// Counted from the upper end it is 255 - floor((240 - c) * 255 / 224). Of two samples the sum is taken, so that the mean
/// is not rounded before it is expanded. 37303 / 65536 is half of 255 / 224, just above it.
enum ChromaExpansion: RangeExpansion {
    @inline(__always) static func expand(_ sample: UInt16) -> UInt8 { expandMean(sample << 1) }

    @inline(__always) static func expandMean(_ sum: UInt16) -> UInt8 {
        // Signed, for SSE2 compares no others.
        let inRange = UInt16(bitPattern: max(min(Int16(bitPattern: sum), 480), 32))
        return UInt8(truncatingIfNeeded: ~Words.upperHalf(480 &- inRange, 37303))
    }

    /// With x = c - 16 it is 31x / 224 more than x, rounded up, and 31 / 224 is 70.86 / 512.
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 {
        let x = UInt16(min(max(sample, 16), 240) &- 16)
        return UInt8(truncatingIfNeeded: x &+ (x &* 71 &- x >> 3 &+ 506) >> 9)
    }
}

extension RangeExpansion {
    /// `target[i] = map(source[i])`, on lines apart.
    ///
    /// Unsafe code, safe as that of ``SampleRows`` is.
    @inline(__always)
    static func expandLine(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, count: Int) {
        for i in 0..<count { unsafe target[i] = map(source[i]) }
    }
}

/// Arithmetic on words of 16 bits in the forms that the optimiser knows an instruction for.
enum Words {
    /// `a - b`, or 0 where that is negative.
    @inline(__always) static func difference(_ a: UInt16, _ b: UInt16) -> UInt16 { max(a, b) &- b }

    /// The upper 16 of the 32 bits of `a * b`.
    @inline(__always) static func upperHalf(_ a: UInt16, _ b: UInt16) -> UInt16 {
        UInt16(truncatingIfNeeded: (UInt32(a) &* UInt32(b)) >> 16)
    }

    /// A signed word as a sample: 0...255.
    @inline(__always) static func clamped(_ word: UInt16) -> UInt8 {
        UInt8(truncatingIfNeeded: max(0, min(Int16(bitPattern: word), 255)))
    }
}
