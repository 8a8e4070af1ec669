/// What becomes of a sample on its way from one picture to another: a type, so that each loop is compiled for its own.
protocol SampleMap {
    static func map(_ sample: UInt8) -> UInt8
}

/// Full range stays full range.
enum Unchanged: SampleMap {
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 { sample }
}

/// Luma of limited range (16...235) to 0...255: (y - 16) * 255 / 219, clamped and rounded, exactly.
///
/// With x = y - 16 that is x + round(12x / 73) = x + (12x + 36) / 73; the division is a product of 16 bits of which the upper half
/// is kept (`pmulhuw`): 898 / 65536 is so near to 1 / 73 that no x of 0...219 is off.
enum LumaExpansion: SampleMap {
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 {
        let x = UInt16(min(max(sample, 16), 235) &- 16)
        let sum = x &* 12 &+ 36
        let quotient = UInt16(truncatingIfNeeded: (UInt32(sum) &* 898) >> 16)
        return UInt8(truncatingIfNeeded: x &+ quotient)
    }
}

/// Chroma of limited range (16...240, 128 = none) to 0...255: (c - 128) * 255 / 224 + 128, clamped and rounded, exactly
/// (the two halves, at 16 and 240, go outwards, to 0 and 255).
///
/// With x = c - 16 that is x + (31x + 223) / 224; 224 is 32 * 7, and 9363 / 65536 divides what is left by 7 without an error.
enum ChromaExpansion: SampleMap {
    @inline(__always) static func map(_ sample: UInt8) -> UInt8 {
        let x = UInt16(min(max(sample, 16), 240) &- 16)
        let sum = (x &* 31 &+ 223) >> 5
        let quotient = UInt16(truncatingIfNeeded: (UInt32(sum) &* 9363) >> 16)
        return UInt8(truncatingIfNeeded: x &+ quotient)
    }
}
