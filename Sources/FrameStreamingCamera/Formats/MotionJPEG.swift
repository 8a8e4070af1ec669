internal import FrameStreamingCore

/// What a camera's JPEG buffer really holds: where the picture lies in it, and what is wrong with it.
///
/// Walks the segments by their lengths: a thumbnail inside one has markers of its own. Of a sound picture it reads a few hundred bytes.
struct MotionJPEG: Hashable, Sendable {
    /// From SOI to behind EOI, or to the last byte that came.
    var range: Range<Int>
    /// The EOI is missing.
    var isTruncated: Bool
    /// Where four Huffman tables belong: the place of the SOS marker, in the buffer; nil = they are there.
    var tablesBelongAt: Int?
    var width: Int
    var height: Int

    /// Looks at the bytes of a buffer; nil = there is no picture in them that could be decoded even in part.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        guard let head = unsafe Self.findHead(bytes, &start) else { return nil }
        width = head.width
        height = head.height
        tablesBelongAt = head.hasHuffmanTables ? nil : head.scan
        // Backwards over the zeros that fill the buffer up.
        var end = bytes.count
        while end > head.scan, unsafe bytes.checked(end - 1) == 0 { end -= 1 }
        if end >= head.scan + 4, unsafe bytes.checked(end - 1) == 0xD9, unsafe bytes.checked(end - 2) == 0xFF {
            range = start..<end
            isTruncated = false
            return
        }
        // Some fill up with something else: only a walk over the whole picture tells that from a cut one.
        var walk = JPEGSegments()
        let picture = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[start...]))
        if let length = (try? walk.advance(over: picture)) ?? nil {
            range = start..<start + length
            isTruncated = false
        } else {
            // A zero behind FF is picture data and no filling.
            let isStuffing = unsafe end < bytes.count && end > 0 && bytes.checked(end - 1) == 0xFF
            range = start..<max(isStuffing ? end + 1 : end, head.scan + 2)
            isTruncated = true
        }
    }

    private struct Head {
        var width = 0
        var height = 0
        var hasHuffmanTables = false
        /// Of the SOS marker.
        var scan = 0
    }

    /// The first SOI from which segments lead to a scan. `start` is where that SOI is.
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

    /// From behind an SOI to the first SOS; nil where another SOI or EOI, rubbish or the end comes before.
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

    /// The DHT segment with the four standard tables, for cameras that leave it out.
    static var standardTables: ArraySlice<UInt8> { StandardHuffmanTables.jpeg.dropFirst(2).dropLast(2) }
}

extension UnsafeRawBufferPointer {
    /// Checked in every build: a camera's bytes are anybody's.
    fileprivate func checked(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "the walk left the buffer")
        return unsafe self[index]
    }
}
