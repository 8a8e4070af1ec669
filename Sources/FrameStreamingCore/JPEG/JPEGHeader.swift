/// The properties of a JPEG picture that its segments before the
/// first scan state (ITU-T T.81, B.2.2).
package struct JPEGHeader: Hashable, Sendable {
    /// Pixels across, 1...65,535.
    package let width: Int
    /// Pixels down, 1...65,535.
    package let height: Int
    /// Bits of a sample. Most decoders accept only 8.
    package let bitsPerSample: Int
    /// Colour components: 1 for gray, 3 for colour, 4 for CMYK.
    package let componentCount: Int
    /// The chroma subsampling; nil = one without a name here (4:4:0, 4:1:1, four components).
    package let subsampling: ChromaSubsampling?
    /// The marker of the frame header, SOF0...SOF15: 0xC0 baseline,
    /// 0xC1 extended, 0xC2 progressive, ...
    package let frameMarker: UInt8
    /// Whether there is a Huffman table (DHT) before the first scan. Cameras
    /// leave the standard one out (AVI1).
    package let hasHuffmanTables: Bool

    /// Whether the picture is progressive, with several passes from coarse
    /// to fine: SOF2, SOF6, SOF10, SOF14.
    package var isProgressive: Bool { frameMarker & 0x03 == 2 }

    /// Reads the segments up to the first scan.
    ///
    /// - Parameter bytes: The picture from its first byte, at least as far as the first scan's
    ///   header.
    /// - Throws: `corruptImage` if it is not a JPEG, or ends before the first scan.
    package init(_ bytes: RawSpan) throws(FrameStreamingError) {
        var segments = JPEGSegments()
        try segments.advance(over: bytes, toFirstScan: true)
        guard let header = segments.header else {
            throw FrameStreamingError(
                .corruptImage, "the JPEG ends after \(bytes.byteCount) bytes, before its picture data: it was cut")
        }
        self = header
    }

    /// Reads an SOF segment's payload: precision, height, width,
    /// and three bytes for each component.
    init(startOfFrame marker: UInt8, _ payload: RawSpan, hasHuffmanTables: Bool) throws(FrameStreamingError) {
        func byte(_ index: Int) -> Int { Int(payload.byte(at: index)) }
        guard payload.byteCount >= 6, byte(5) > 0, payload.byteCount == 6 + 3 * byte(5) else {
            throw FrameStreamingError(.corruptImage, "the JPEG's frame header has a wrong length")
        }
        bitsPerSample = byte(0)
        height = byte(1) << 8 | byte(2)
        width = byte(3) << 8 | byte(4)
        componentCount = byte(5)
        frameMarker = marker
        self.hasHuffmanTables = hasHuffmanTables
        guard width > 0, height > 0 else {
            throw FrameStreamingError(.corruptImage, "the JPEG's frame header says \(width)x\(height): no picture")
        }
        var factors: [(across: Int, down: Int)] = []
        for index in 0..<componentCount {
            let pair = byte(7 + 3 * index)
            factors.append((pair >> 4, pair & 15))
        }
        guard factors.allSatisfy({ (1...4).contains($0.across) && (1...4).contains($0.down) }) else {
            throw FrameStreamingError(.corruptImage, "the JPEG's frame header has a sampling factor beyond 1...4")
        }
        subsampling = Self.subsampling(factors)
    }

    private static func subsampling(_ factors: [(across: Int, down: Int)]) -> ChromaSubsampling? {
        if factors.count == 1 { return .gray }
        guard factors.count == 3, factors[1] == factors[2] else { return nil }
        let (luma, chroma) = (factors[0], factors[1])
        if luma == chroma { return .yuv444 }
        if luma == (2 * chroma.across, chroma.down) { return .yuv422 }
        if luma == (2 * chroma.across, 2 * chroma.down) { return .yuv420 }
        return nil
    }
}
