/// From limited to full range: what becomes of each sample. Everything fits 16 bits, so that vector code has eight
/// lanes also with SSE2: a product of 32 bits takes twice as long.
protocol RangeExpansion {
    static func map(_ sample: UInt8) -> UInt8
    /// The same of a sample (0...255) in 16 bits, as those of interleaved formats are when they are taken apart: one loop
    /// does both, and nothing is packed and unpacked in between.
    static func expand(_ sample: UInt16) -> UInt8
}

/// Full range stays as it is.
enum NoExpansion: RangeExpansion {
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 { sample }
    @inline(__always) static func expand(_ sample: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: sample) }
}

/// Luma of limited range (16...235) to 0...255: (y - 16) * 255 / 219, clamped and rounded, exactly.
///
/// With x = y - 16 that is x + round(12x / 73), and 12 / 73 is 168.33 / 1024: the half of x instead of its third and
/// 493 instead of 512 have no x of 0...219 off (found by trying all such sums, and tested at every value).
enum LumaExpansion: RangeExpansion {
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 {
        scale(UInt16(min(max(sample, 16), 235) &- 16))
    }

    @inline(__always) static func expand(_ sample: UInt16) -> UInt8 {
        // Signed, for SSE2 compares no others.
        scale(UInt16(truncatingIfNeeded: min(max(Int16(truncatingIfNeeded: sample), 16), 235) &- 16))
    }

    @inline(__always) private static func scale(_ x: UInt16) -> UInt8 {
        UInt8(truncatingIfNeeded: x &+ (x &* 168 &+ x >> 1 &+ 493) >> 10)
    }
}

/// Chroma of limited range (16...240, 128 = none) to 0...255: (c - 128) * 255 / 224 + 128, clamped and rounded, exactly
/// (the two halves, at 16 and 240, go outwards, to 0 and 255).
///
/// With x = c - 16 that is 31x / 224 more than x, rounded up, and 31 / 224 is 70.86 / 512; found and tested as luma's.
enum ChromaExpansion: RangeExpansion {
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 {
        scale(UInt16(min(max(sample, 16), 240) &- 16))
    }

    @inline(__always) static func expand(_ sample: UInt16) -> UInt8 {
        scale(UInt16(truncatingIfNeeded: min(max(Int16(truncatingIfNeeded: sample), 16), 240) &- 16))
    }

    @inline(__always) private static func scale(_ x: UInt16) -> UInt8 {
        UInt8(truncatingIfNeeded: x &+ (x &* 71 &- x >> 3 &+ 506) >> 9)
    }
}

extension RangeExpansion {
    /// `target[i] = map(source[i])`, on lines apart.
    ///
    /// Unsafe code, safe as that of ``SampleRows`` is.
    @inline(__always)
    static func mapLine(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, count: Int) {
        for i in 0..<count { unsafe target[i] = map(source[i]) }
    }
}
