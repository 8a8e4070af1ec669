/// Walks through a JPEG picture from segment to segment by their lengths,
/// to its end (ITU-T T.81, Annex B).
///
/// A search for FF D9 would find the end of a thumbnail inside a segment. The picture may arrive in
/// pieces: call ``advance(over:)`` again with the same bytes and more behind them; no byte is
/// examined twice. Untrusted bytes are safe: it reads no byte outside the given ones, and its work
/// grows only with their number.
package struct JPEGSegments: Sendable {
    private enum Place { case start, marker, scan, end }

    private var place = Place.start
    private var position = 0
    private var sawHuffmanTables = false
    private var frameHeader: (marker: UInt8, range: Range<Int>)?
    /// The picture's header; nil until the first scan was reached.
    package private(set) var header: JPEGHeader?

    /// Begins before the first byte of a picture.
    package init() {}

    /// Continues as far as the bytes reach.
    ///
    /// - Parameter bytes: The picture from its first byte: those of the last call and more.
    /// - Returns: The picture's length in bytes, including its EOI marker; nil if more bytes are
    ///   needed.
    /// - Throws: `corruptImage` if no JPEG begins with these bytes.
    @discardableResult
    package mutating func advance(over bytes: RawSpan) throws(FrameStreamingError) -> Int? {
        try advance(over: bytes, toFirstScan: false)
        return place == .end ? position : nil
    }

    mutating func advance(over bytes: RawSpan, toFirstScan: Bool) throws(FrameStreamingError) {
        while true {
            switch place {
            case .start:
                guard bytes.byteCount >= 2 else { return }
                guard bytes.byte(at: 0) == 0xFF, bytes.byte(at: 1) == JPEGMarker.startOfImage else {
                    throw FrameStreamingError(.corruptImage, "no JPEG: it does not begin with FF D8")
                }
                position = 2
                place = .marker
            case .marker:
                guard try passMarker(bytes) else { return }
            case .scan:
                if toFirstScan { return }
                guard passEntropyCodedData(bytes) else { return }
            case .end:
                return
            }
        }
    }

    /// Passes one marker with its segment; false if it is incomplete.
    private mutating func passMarker(_ bytes: RawSpan) throws(FrameStreamingError) -> Bool {
        guard position < bytes.byteCount else { return false }
        guard bytes.byte(at: position) == 0xFF else {
            throw .damagedJPEG("byte \(position) should begin a marker and does not")
        }
        // Any number of FF bytes may precede a marker.
        var code = position + 1
        while code < bytes.byteCount, bytes.byte(at: code) == 0xFF { code += 1 }
        position = code - 1
        guard code < bytes.byteCount else { return false }
        let marker = bytes.byte(at: code)
        switch marker {
        case JPEGMarker.endOfImage:
            guard header != nil else { throw .damagedJPEG("it ends at byte \(position) without picture data") }
            position = code + 1
            place = .end
            return true
        case JPEGMarker.temporary, JPEGMarker.restarts:
            position = code + 1
            return true
        case JPEGMarker.startOfImage:
            throw .damagedJPEG("another picture begins at byte \(position), before this one's end")
        case 0x00, 0x02...0xBF:
            throw .damagedJPEG("FF \(String(marker, radix: 16)) at byte \(position) is no marker")
        default:
            return try passSegment(marker, from: code + 1, bytes)
        }
    }

    private mutating func passSegment(
        _ marker: UInt8, from start: Int, _ bytes: RawSpan
    ) throws(FrameStreamingError) -> Bool {
        guard start + 2 <= bytes.byteCount else { return false }
        let length = Int(bytes.byte(at: start)) << 8 | Int(bytes.byte(at: start + 1))
        guard length >= 2 else { throw .damagedJPEG("the segment at byte \(position) has a length of \(length)") }
        guard start + length <= bytes.byteCount else { return false }
        switch marker {
        case JPEGMarker.huffmanTables:
            sawHuffmanTables = true
        case JPEGMarker.startOfScan:
            if header == nil {
                guard let frameHeader else { throw .damagedJPEG("picture data comes before the frame header") }
                header = try JPEGHeader(
                    startOfFrame: frameHeader.marker, bytes.extracting(frameHeader.range),
                    hasHuffmanTables: sawHuffmanTables)
            }
            place = .scan
        case JPEGMarker.arithmeticConditioning, JPEGMarker.extensions:
            break
        case JPEGMarker.framesAndTables:
            guard frameHeader == nil else { throw .damagedJPEG("there is a second frame header at byte \(position)") }
            frameHeader = (marker, start + 2..<start + length)
        default:
            break
        }
        position = start + length
        return true
    }

    /// Passes everything up to the next marker other than a restart; false if it has not arrived.
    private mutating func passEntropyCodedData(_ bytes: RawSpan) -> Bool {
        let end = bytes.byteCount
        while true {
            position = bytes.firstOfFF(from: position)
            guard position + 1 < end else { return false }
            switch bytes.byte(at: position + 1) {
            case 0x00, JPEGMarker.restarts: position += 2
            case 0xFF: position += 1
            default:
                place = .marker
                return true
            }
        }
    }
}
