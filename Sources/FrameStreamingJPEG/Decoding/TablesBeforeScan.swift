internal import FrameStreamingCore

/// The tables and the frame header that a JPEG has before its first scan.
///
/// They suffice to refuse a JPEG without an image, and one that would borrow the quantization
/// tables of an earlier JPEG of its handle. For usual JPEGs they suffice to decode without reading
/// the header through the library first.
struct TablesBeforeScan {
    private(set) var hasFrame = false
    private(set) var hasQuantization = false
    /// The size of a gray or three-colour image with valid segments before its first scan; nil =
    /// the library has to read the header.
    private(set) var size: (width: Int, height: Int)?
    /// The first frame header: its marker, and the offsets of its parameters.
    private(set) var frame: (marker: UInt8, range: Range<Int>)?
    /// The offset of the first SOS marker; nil = none.
    private(set) var firstScan: Int?
    /// The Huffman tables that the JPEG defines, one bit each: DC tables 0 and 1, then AC tables 0
    /// and 1.
    private var huffmanTables = 0

    /// Whether the JPEG defines every Huffman table that a baseline image can use.
    var hasHuffmanTables: Bool { huffmanTables == 0b1111 }

    /// Walks from segment to segment (T.81, B.1.1.4). Stops at the first scan, at the end, or at
    /// bytes that are no segment, whose error TurboJPEG reports.
    init(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 4, unsafe bytes.byte(0) == 0xFF, unsafe bytes.byte(1) == 0xD8 else { return }
        var next = 2
        var isInOrder = true
        var found: (width: Int, height: Int)?
        while next + 4 <= bytes.count {
            // Bytes between segments are skipped, as libjpeg does with a warning; 0xFF may be
            // repeated as fill.
            guard unsafe bytes.byte(next) == 0xFF, unsafe ![0x00, 0xFF].contains(bytes.byte(next + 1)) else {
                isInOrder = false
                next += 1
                continue
            }
            let marker = unsafe bytes.byte(next + 1)
            let end = unsafe next + 2 + max(2, Int(bytes.byte(next + 2)) << 8 | Int(bytes.byte(next + 3)))
            switch marker {
            case 0xDB: hasQuantization = true
            case 0xC4: isInOrder = unsafe takeHuffmanTables(bytes, next + 4..<end) && isInOrder
            case 0xC8, 0xCC: isInOrder = false
            case 0xC0...0xCF:
                if hasFrame { isInOrder = false } else { frame = (marker, next + 4..<max(next + 4, end)) }
                hasFrame = true
                found = unsafe Self.size(of: marker, bytes, next + 4..<end)
            case 0xDA:
                if isInOrder { size = found }
                firstScan = next
                return
            case 0xD9: return
            case 0x01, 0xD0...0xD8:
                isInOrder = false
                next += 2
                continue
            default: break
            }
            next = end
        }
    }

    /// Refuses the kinds of JPEG that libjpeg does not decode to 8 bits, by their names.
    ///
    /// - Parameter bytes: The bytes that this value was created from.
    /// - Throws: `unsupported`.
    func checkProcess(of bytes: UnsafeRawBufferPointer) throws(FrameStreamingError) {
        guard let frame, !frame.range.isEmpty, frame.range.lowerBound < bytes.count else { return }
        let bits = unsafe bytes.byte(frame.range.lowerBound)
        let kind: String
        switch frame.marker {
        // T.81, table B.1.
        case 0xC3, 0xC7, 0xCB, 0xCF: kind = "is lossless JPEG (T.81, process 14)"
        case 0xC5, 0xC6, 0xCD, 0xCE: kind = "is hierarchical JPEG"
        case _ where bits == 12 || bits == 16: kind = "has \(bits) bits a sample"
        default: return
        }
        throw FrameStreamingError(
            .unsupported,
            "the JPEG \(kind), and 8 bits of baseline, progressive and arithmetic JPEG are decoded: convert it at its source"
        )
    }

    /// Refuses a JPEG whose scans cost more to decode than `limits` allow.
    ///
    /// - Parameter bytes: The bytes that this value was created from.
    /// - Throws: `limitExceeded`.
    func checkScans(of bytes: UnsafeRawBufferPointer, _ limits: ScanLimits) throws(FrameStreamingError) {
        guard let frame, let firstScan else { return }
        try unsafe ScanWork(bytes, frame: frame, firstScan: firstScan, limits: limits).check(limits)
    }

    /// Reads the tables of one segment (T.81, B.2.4.2); false where its length is wrong.
    private mutating func takeHuffmanTables(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        guard range.upperBound <= bytes.count else { return false }
        var next = range.lowerBound
        while next + 17 <= range.upperBound {
            let name = unsafe bytes.byte(next)
            // The numbers of codes of 1 to 16 bits. Each code has one value.
            var values = 0
            for length in 1...16 { unsafe values += Int(bytes.byte(next + length)) }
            if name & 0xEE == 0 { huffmanTables |= 1 << (name >> 3 | name & 1) }
            next += 17 + values
        }
        return next == range.upperBound
    }

    private static func size(
        of marker: UInt8, _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) -> (width: Int, height: Int)? {
        guard (0xC0...0xC2).contains(marker), range.count >= 6, range.upperBound <= bytes.count else { return nil }
        func byte(_ index: Int) -> Int { unsafe Int(bytes.byte(range.lowerBound + index)) }
        let (height, width, components) = (byte(1) << 8 | byte(2), byte(3) << 8 | byte(4), byte(5))
        // Four components are inks, for printers, which the library's header tells from others.
        guard byte(0) == 8, height > 0, width > 0, [1, 3].contains(components), range.count == 6 + 3 * components else {
            return nil
        }
        return (width, height)
    }
}

extension UnsafeRawBufferPointer {
    /// Checked in every build, because these bytes come from a network.
    fileprivate func byte(_ offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < count, "the walk left the JPEG")
        return unsafe self[offset]
    }
}
