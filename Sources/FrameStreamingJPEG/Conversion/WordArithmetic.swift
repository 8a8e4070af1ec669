/// Arithmetic on 16-bit words, in forms that the optimiser turns into single vector instructions.
enum WordArithmetic {
    /// Returns `a - b`, or 0 where that is negative.
    @inline(__always) static func difference(_ a: UInt16, _ b: UInt16) -> UInt16 { max(a, b) &- b }

    /// Returns the upper 16 of the 32 bits of `a * b`.
    @inline(__always) static func upperHalf(_ a: UInt16, _ b: UInt16) -> UInt16 {
        UInt16(truncatingIfNeeded: (UInt32(a) &* UInt32(b)) >> 16)
    }

    /// Clamps a signed word to a sample: 0...255.
    @inline(__always) static func clamped(_ word: UInt16) -> UInt8 {
        UInt8(truncatingIfNeeded: max(0, min(Int16(bitPattern: word), 255)))
    }
}
