internal import FrameStreamingCore

/// H.264's two forms: Annex B, where start codes separate the units, which our frames have; and
/// units behind their lengths, which films have. Untrusted bytes are safe.
enum AnnexB {
    /// Returns where the units of a frame are, without start codes and the zeros behind a unit.
    static func units(of bytes: RawSpan) -> [Range<Int>] {
        var units: [Range<Int>] = []
        var begin: Int?
        var index = 0
        while index + 3 <= bytes.byteCount {
            // A byte above 1 is in no start code: none begins at it or at the two before it.
            if bytes.byte(at: index + 2) > 1 {
                index += 3
            } else if bytes.byte(at: index) == 0, bytes.byte(at: index + 1) == 0, bytes.byte(at: index + 2) == 1 {
                if let begin { append(begin..<index, of: bytes, to: &units) }
                begin = index + 3
                index += 3
            } else {
                index += 1
            }
        }
        if let begin { append(begin..<bytes.byteCount, of: bytes, to: &units) }
        return units
    }

    private static func append(_ range: Range<Int>, of bytes: RawSpan, to units: inout [Range<Int>]) {
        var end = range.upperBound
        while end > range.lowerBound, bytes.byte(at: end - 1) == 0 { end -= 1 }
        if end > range.lowerBound { units.append(range.lowerBound..<end) }
    }

    /// Writes the units behind their lengths of four bytes.
    static func writeWithLengths(_ units: [Range<Int>], of bytes: RawSpan, to target: inout [UInt8]) {
        target.removeAll(keepingCapacity: true)
        target.reserveCapacity(units.reduce(0) { $0 + $1.count + 4 })
        for unit in units {
            target.append(bigEndian: UInt32(truncatingIfNeeded: unit.count))
            unsafe bytes.extracting(unit).withUnsafeBytes { unsafe target.append(contentsOf: $0) }
        }
    }
}
