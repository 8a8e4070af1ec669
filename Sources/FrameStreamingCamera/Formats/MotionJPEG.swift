internal import FrameStreamingCore

/// The JPEG inside a camera's buffer: where it begins and ends, and its faults.
///
/// The segments are walked by their lengths, because a thumbnail inside one has markers of its own.
/// For an intact image a few hundred bytes are read.
struct MotionJPEG: Hashable, Sendable {
    /// From SOI through EOI; if EOI is missing, through the last byte.
    var range: Range<Int>
    /// Whether EOI is missing.
    var isTruncated: Bool
    /// The offset of the SOS marker, where missing Huffman tables
    /// belong; nil if the image has tables.
    var tablesBelongAt: Int?
    var width: Int
    var height: Int

    /// Finds the image in a buffer. Returns nil if no part of one could be decoded.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        guard let head = unsafe Self.findHead(bytes, &start) else { return nil }
        width = head.width
        height = head.height
        tablesBelongAt = head.hasHuffmanTables ? nil : head.scan
        // Backwards over the zeros that pad the buffer.
        var end = bytes.count
        while end > head.scan, unsafe bytes.checked(end - 1) == 0 { end -= 1 }
        if end >= head.scan + 4, unsafe bytes.checked(end - 1) == 0xD9, unsafe bytes.checked(end - 2) == 0xFF {
            range = start..<end
            isTruncated = false
            return
        }
        // Some cameras pad with other bytes. Only a walk over the whole image
        // distinguishes that from a truncated one.
        var walk = JPEGSegments()
        let picture = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[start...]))
        if let length = (try? walk.advance(over: picture)) ?? nil {
            range = start..<start + length
            isTruncated = false
        } else {
            // A zero behind FF is image data and not padding.
            let isStuffing = unsafe end < bytes.count && end > 0 && bytes.checked(end - 1) == 0xFF
            range = start..<max(isStuffing ? end + 1 : end, head.scan + 2)
            isTruncated = true
        }
    }

    private struct Head {
        var width = 0
        var height = 0
        var hasHuffmanTables = false
        /// The offset of the SOS marker.
        var scan = 0
    }

    /// Finds the first SOI from which segments lead to a scan. Sets `start` to its offset.
    private static func findHead(_ bytes: UnsafeRawBufferPointer, _ start: inout Int) -> Head? {
        var from = 0
        while let startOfImage = unsafe find(0xD8, in: bytes, from: from) {
            if let head = unsafe walk(bytes, from: startOfImage + 2) {
                start = startOfImage
                return head
            }
            from = startOfImage + 1
        }
        return nil
    }

    private static func find(_ marker: UInt8, in bytes: UnsafeRawBufferPointer, from: Int) -> Int? {
        var index = from
        while index + 1 < bytes.count {
            if unsafe bytes.checked(index) == 0xFF, unsafe bytes.checked(index + 1) == marker { return index }
            index += 1
        }
        return nil
    }

    /// Walks from behind an SOI to the first SOS. Returns nil if another SOI, an EOI,
    /// invalid bytes or the end comes first.
    private static func walk(_ bytes: UnsafeRawBufferPointer, from: Int) -> Head? {
        var head = Head()
        var place = from
        while place + 4 <= bytes.count {
            guard unsafe bytes.checked(place) == 0xFF else { return nil }
            let marker = unsafe bytes.checked(place + 1)
            if marker == 0xFF {
                place += 1
                continue
            }
            if marker == 0x01 {
                place += 2
                continue
            }
            guard marker >= 0xC0, !(0xD0...0xD9).contains(marker) else { return nil }
            let length = unsafe Int(bytes.checked(place + 2)) << 8 | Int(bytes.checked(place + 3))
            guard length >= 2, place + 2 + length <= bytes.count else { return nil }
            switch marker {
            case 0xC4: head.hasHuffmanTables = true
            case 0xC8, 0xCC: break
            case 0xC0...0xCF:
                guard length >= 8 else { return nil }
                head.height = unsafe Int(bytes.checked(place + 5)) << 8 | Int(bytes.checked(place + 6))
                head.width = unsafe Int(bytes.checked(place + 7)) << 8 | Int(bytes.checked(place + 8))
            case 0xDA:
                head.scan = place
                return head.width > 0 && head.height > 0 ? head : nil
            default: break
            }
            place += 2 + length
        }
        return nil
    }

    /// The DHT segment with the four standard tables, for cameras that omit it.
    static var standardTables: ArraySlice<UInt8> { StandardHuffmanTables.jpeg.dropFirst(2).dropLast(2) }
}

extension UnsafeRawBufferPointer {
    /// Reads a byte with a bounds check in every build, because a camera's bytes are untrusted.
    fileprivate func checked(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "the walk left the buffer")
        return unsafe self[index]
    }
}
