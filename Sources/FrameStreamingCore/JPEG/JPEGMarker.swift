/// The second byte of a marker (ITU-T T.81, table B.1).
enum JPEGMarker {
    static let temporary: UInt8 = 0x01
    /// SOF0...SOF15, except the three that have another meaning.
    static let framesAndTables: ClosedRange<UInt8> = 0xC0...0xCF
    static let huffmanTables: UInt8 = 0xC4
    static let extensions: UInt8 = 0xC8
    static let arithmeticConditioning: UInt8 = 0xCC
    static let restarts: ClosedRange<UInt8> = 0xD0...0xD7
    static let startOfImage: UInt8 = 0xD8
    static let endOfImage: UInt8 = 0xD9
    static let startOfScan: UInt8 = 0xDA
    static let quantizationTables: UInt8 = 0xDB
    static let numberOfLines: UInt8 = 0xDC
    static let restartInterval: UInt8 = 0xDD
    static let applications: ClosedRange<UInt8> = 0xE0...0xEF
    static let comment: UInt8 = 0xFE
    /// The frame header of JPEG-LS (ITU-T T.87).
    static let losslessFrame: UInt8 = 0xF7

    /// Whether a length follows the marker.
    static func hasSegment(_ marker: UInt8) -> Bool {
        switch marker {
        case extensions: false
        case framesAndTables, startOfScan...restartInterval, applications, comment: true
        default: false
        }
    }
}

extension RawSpan {
    /// Returns the byte at `index`, which is checked.
    @inline(__always)
    package func byte(at index: Int) -> UInt8 {
        precondition(index >= 0 && index < byteCount)
        // A byte has no alignment and every value is valid; the index was checked above.
        return unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
    }

    /// Returns the position of the next FF at or behind `start`, or the end. It looks at eight
    /// bytes at a time, because FF is rare.
    package func firstOfFF(from start: Int) -> Int {
        var index = start
        while index + 8 <= byteCount {
            // Unaligned, any bit pattern is a number, and the eight bytes are inside.
            let word = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            let inverted = ~word
            // A zero byte in the inverse is FF: the classic test that
            // borrows into a zero byte's top bit.
            let hit = (inverted &- 0x0101_0101_0101_0101) & ~inverted & 0x8080_8080_8080_8080
            if hit != 0 { break }
            index += 8
        }
        while index < byteCount, byte(at: index) != 0xFF { index += 1 }
        return index
    }
}
