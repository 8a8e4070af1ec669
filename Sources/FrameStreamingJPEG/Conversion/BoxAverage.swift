internal import FrameStreamingCore

/// Scales lines of samples down: each new sample is the rounded mean of 2 x 2, 4 x 4 or 8 x 8
/// samples, or of fewer at the right and lower edges.
///
/// Unsafe code, safe because: the callers (StripConversion.swift, PackedImage.swift) pass lines of
/// a frame's or a scratch plane, with counts computed from the same frame's size, and room for
/// ``sumCount(columns:)`` sums.
///
/// Columns are added in pairs, in loops that the optimiser vectorises: two samples are one word,
/// and two sums one word of twice the width.
@safe struct BoxAverage {
    /// 2, 4 or 8.
    let divisor: Int
    private let sums: UnsafeMutablePointer<UInt16>
    private let spare: UnsafeMutablePointer<UInt16>

    /// - Parameter room: Has room for ``sumCount(columns:)`` sums.
    init(_ scale: PictureScale, room: UnsafeMutablePointer<UInt16>, columns: Int) {
        divisor = scale.denominator
        unsafe sums = room
        unsafe spare = room + columns
    }

    /// The number of sums that need room: two for each sample of a line.
    static func sumCount(columns: Int) -> Int { 2 * columns }

    /// Computes one line of the result.
    ///
    /// - Parameters:
    ///   - plane: Has at least one line from `first` on.
    ///   - count: Samples per line of `plane`.
    ///   - lines: The source lines that the new one covers: `divisor`, or fewer at the lower edge.
    func line(
        of plane: SourcePlane, first: Int, lines: Int, count: Int, to target: UnsafeMutablePointer<UInt8>
    ) {
        let pairs = count / divisor * divisor / 2
        unsafe Self.pairSums(plane.line(first), to: sums, count: pairs)
        for line in first + 1..<first + lines { unsafe Self.addPairSums(plane.line(line), to: sums, count: pairs) }
        var (from, to) = unsafe (sums, spare)
        var boxes = pairs
        while boxes > count / divisor {
            boxes /= 2
            unsafe Self.halve(from, to: to, count: boxes)
            unsafe swap(&from, &to)
        }
        unsafe Self.means(from, of: divisor * lines, to: target, count: boxes)
        if boxes * divisor < count {
            var sum = 0
            for line in first..<first + lines {
                for column in boxes * divisor..<count { unsafe sum += Int(plane.line(line)[column]) }
            }
            let samples = (count - boxes * divisor) * lines
            unsafe target[boxes] = UInt8((sum + samples / 2) / samples)
        }
    }

    /// Computes one line of packed pixels of `size` (3 or 4) bytes, each byte separately.
    ///
    /// - Parameters:
    ///   - plane: Has at least one line from `first` on.
    ///   - count: Bytes per line of `plane` that hold pixels.
    func packedLine(
        of plane: SourcePlane, first: Int, lines: Int, count: Int, size: Int, to target: UnsafeMutablePointer<UInt8>
    ) {
        let box = divisor * size
        let boxes = count / box
        unsafe Self.widen(plane.line(first), to: sums, count: boxes * box)
        for line in first + 1..<first + lines { unsafe Self.add(plane.line(line), to: sums, count: boxes * box) }
        // Adds every pixel to its neighbour, then to the sum beside that, and so on. This computes
        // more sums than needed, but without gaps, which vector code requires. The sums of whole
        // boxes need no sample beyond the last box.
        var (from, to) = unsafe (sums, spare)
        var (distance, valid) = (size, boxes * box)
        while distance < box {
            valid -= distance
            unsafe Self.addApart(from, by: distance, to: to, count: max(0, valid))
            unsafe swap(&from, &to)
            distance *= 2
        }
        let samples = divisor * lines
        if lines == divisor {
            // The number of samples is a power of two: 4, 16 or 64.
            let (half, shift) = (UInt16(samples / 2), UInt16(samples.trailingZeroBitCount))
            for index in 0..<boxes {
                for byte in 0..<size {
                    let sum = unsafe from[index &* box &+ byte]
                    unsafe target[index &* size &+ byte] = UInt8(truncatingIfNeeded: (sum &+ half) &>> shift)
                }
            }
        } else {
            for index in 0..<boxes {
                for byte in 0..<size {
                    unsafe target[index * size + byte] = UInt8((Int(from[index * box + byte]) + samples / 2) / samples)
                }
            }
        }
        guard boxes * box < count else { return }
        for byte in 0..<size {
            var sum = 0
            for line in first..<first + lines {
                for place in stride(from: boxes * box + byte, to: count, by: size) {
                    unsafe sum += Int(plane.line(line)[place])
                }
            }
            let samples = (count - boxes * box) / size * lines
            unsafe target[boxes * size + byte] = UInt8((sum + samples / 2) / samples)
        }
    }

    /// Converts sums of `samples` samples each to means.
    private static func means(
        _ sums: UnsafePointer<UInt16>, of samples: Int, to target: UnsafeMutablePointer<UInt8>, count: Int
    ) {
        if samples & (samples - 1) == 0 {
            let (half, shift) = (UInt16(samples / 2), UInt16(samples.trailingZeroBitCount))
            for i in 0..<count { unsafe target[i] = UInt8(truncatingIfNeeded: (sums[i] &+ half) &>> shift) }
        } else {
            for i in 0..<count { unsafe target[i] = UInt8((Int(sums[i]) + samples / 2) / samples) }
        }
    }

    private static func widen(
        _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt16>, count: Int
    ) {
        for i in 0..<count { unsafe target[i] = UInt16(source[i]) }
    }

    private static func add(
        _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt16>, count: Int
    ) {
        for i in 0..<count { unsafe target[i] &+= UInt16(source[i]) }
    }

    private static func addApart(
        _ source: UnsafePointer<UInt16>, by distance: Int, to target: UnsafeMutablePointer<UInt16>, count: Int
    ) {
        for i in 0..<count { unsafe target[i] = source[i] &+ source[i &+ distance] }
    }

    private static func pairSums(
        _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt16>, count: Int
    ) {
        let words = unsafe UnsafeRawPointer(source)
        for i in 0..<count {
            let word = unsafe words.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
            unsafe target[i] = (word & 255) &+ (word >> 8)
        }
    }

    private static func addPairSums(
        _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt16>, count: Int
    ) {
        let words = unsafe UnsafeRawPointer(source)
        for i in 0..<count {
            let word = unsafe words.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
            unsafe target[i] &+= (word & 255) &+ (word >> 8)
        }
    }

    private static func halve(
        _ source: UnsafePointer<UInt16>, to target: UnsafeMutablePointer<UInt16>, count: Int
    ) {
        let words = unsafe UnsafeRawPointer(source)
        for i in 0..<count {
            let word = unsafe words.loadUnaligned(fromByteOffset: 4 &* i, as: UInt32.self)
            unsafe target[i] = UInt16(truncatingIfNeeded: (word & 0xFFFF) &+ (word >> 16))
        }
    }
}
