/// The loops that split a line into its samples. None has a branch, so the optimiser vectorises
/// them; shared code is inlined.
///
/// Unsafe code, safe because: the caller (TargetImage.swift) passes lines that lie inside a frame's
/// or a scratch plane, and counts computed from the same frame's size. Source lines may have any
/// alignment; words are loaded unaligned.
enum SampleRows {
    /// Sets `target[i]` to the mean of `upper[i]` and `lower[i]`, expanded.
    @inline(__always)
    static func average<Expansion: RangeExpansion>(
        _ upper: UnsafePointer<UInt8>, _ lower: UnsafePointer<UInt8>,
        to target: UnsafeMutablePointer<UInt8>, count: Int, _: Expansion.Type
    ) {
        for i in 0..<count { unsafe target[i] = Expansion.expandMean(UInt16(upper[i]) &+ UInt16(lower[i])) }
    }

    /// Splits two-byte groups: the first bytes go to one line, the second to another (NV12's
    /// chroma), expanded.
    @inline(__always)
    static func splitPairs<Expansion: RangeExpansion>(
        _ upper: UnsafePointer<UInt8>, _ lower: UnsafePointer<UInt8>?,
        to first: UnsafeMutablePointer<UInt8>, _ second: UnsafeMutablePointer<UInt8>, count: Int, _: Expansion.Type
    ) {
        let above = unsafe UnsafeRawPointer(upper)
        guard let lower = unsafe lower else {
            for i in 0..<count {
                let word = unsafe above.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
                unsafe first[i] = Expansion.expand(word & 255)
                unsafe second[i] = Expansion.expand(word >> 8)
            }
            return
        }
        let below = unsafe UnsafeRawPointer(lower)
        for i in 0..<count {
            let a = unsafe above.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
            let b = unsafe below.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
            unsafe first[i] = Expansion.expandMean((a & 255) &+ (b & 255))
            unsafe second[i] = Expansion.expandMean((a >> 8) &+ (b >> 8))
        }
    }

    /// Takes one byte of each two-byte group, the lower (`shift` 0) or the upper (8), expanded: the
    /// luma of YUYV and UYVY, or their chroma, which alternates U and V.
    @inline(__always)
    static func pickOfPairs<Expansion: RangeExpansion>(
        _ upper: UnsafePointer<UInt8>, _ lower: UnsafePointer<UInt8>?, shift: UInt16,
        to target: UnsafeMutablePointer<UInt8>, count: Int, _: Expansion.Type
    ) {
        let above = unsafe UnsafeRawPointer(upper)
        guard let lower = unsafe lower else {
            for i in 0..<count {
                let word = unsafe above.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
                unsafe target[i] = Expansion.expand(word >> shift & 255)
            }
            return
        }
        let below = unsafe UnsafeRawPointer(lower)
        for i in 0..<count {
            let a = unsafe above.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
            let b = unsafe below.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
            unsafe target[i] = Expansion.expandMean((a >> shift & 255) &+ (b >> shift & 255))
        }
    }

    /// Averages each pair of samples; the last of an odd number is copied.
    @inline(__always)
    static func halve(
        _ source: UnsafePointer<UInt8>, count: Int, to target: UnsafeMutablePointer<UInt8>
    ) {
        let words = unsafe UnsafeRawPointer(source)
        for i in 0..<count / 2 {
            let word = unsafe words.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
            unsafe target[i] = NoExpansion.expandMean((word & 255) &+ (word >> 8))
        }
        if count % 2 == 1 { unsafe target[count / 2] = source[count - 1] }
    }

    /// Repeats each sample 2 or 4 times, up to `count` samples of the target.
    @inline(__always)
    static func stretch(
        _ source: UnsafePointer<UInt8>, by factor: Int, to target: UnsafeMutablePointer<UInt8>, count: Int
    ) {
        let words = UnsafeMutableRawPointer(target)
        let whole = count / factor
        if factor == 4 {
            for i in 0..<whole {
                let word = unsafe UInt32(source[i]) &* 0x0101_0101
                unsafe words.storeBytes(of: word, toByteOffset: 4 &* i, as: UInt32.self)
            }
        } else {
            for i in 0..<whole {
                let word = unsafe UInt16(source[i]) &* 0x0101
                unsafe words.storeBytes(of: word, toByteOffset: 2 &* i, as: UInt16.self)
            }
        }
        for i in whole * factor..<count { unsafe target[i] = source[whole] }
    }
}
