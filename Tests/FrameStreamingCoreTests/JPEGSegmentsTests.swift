import FrameStreamingCore
import Testing

/// JPEGs in structure only, which no decoder reads.
private enum Sample {
    static func segment(_ marker: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count + 2
        return [0xFF, marker, UInt8(length >> 8), UInt8(length & 255)] + payload
    }

    static func startOfFrame(
        _ marker: UInt8 = 0xC0, width: Int = 17, height: Int = 13, factors: [UInt8] = [0x22, 0x11, 0x11]
    ) -> [UInt8] {
        var payload: [UInt8] = [8, UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255)]
        payload.append(UInt8(factors.count))
        for (index, factor) in factors.enumerated() { payload += [UInt8(index + 1), factor, 0] }
        return segment(marker, payload)
    }

    static let startOfScan = segment(0xDA, [1, 1, 0, 0, 63, 0])
    /// Stuffed FFs, restarts and a filled marker.
    static let data: [UInt8] = [
        1, 2, 0xFF, 0x00, 0xD9, 0xFF, 0xD0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0xFF, 0xD7, 0xFF, 0x00, 0xFF, 0xFF,
    ]
    static let thumbnail = segment(0xE1, [0xFF, 0xD8, 0xFF, 0xD9, 0xFF, 0xDA])

    static func picture(
        frame: [UInt8] = startOfFrame(), tables: [UInt8] = segment(0xC4, [0, 0, 0])
    ) -> [UInt8] {
        [0xFF, 0xD8] + thumbnail + [0xFF] + frame + tables + startOfScan + data + [0xFF, 0xD9]
    }
}

@Suite struct JPEGSegmentsTests {
    private func header(_ bytes: [UInt8]) throws(FrameStreamingError) -> JPEGHeader {
        try JPEGHeader(unsafe bytes.span.bytes)
    }

    @Test(
        arguments: [
            ([0x22, 0x11, 0x11], ChromaSubsampling.yuv420), ([0x21, 0x11, 0x11], .yuv422),
            ([0x11, 0x11, 0x11], .yuv444),
            ([0x22, 0x22, 0x22], .yuv444), ([0x11], .gray), ([0x22], .gray), ([0x41, 0x21, 0x21], .yuv422),
            ([0x12, 0x11, 0x11], nil), ([0x41, 0x11, 0x11], nil), ([0x22, 0x11, 0x22], nil),
            ([0x11, 0x11, 0x11, 0x11], nil),
        ] as [([UInt8], ChromaSubsampling?)])
    func `reads the header`(factors: [UInt8], subsampling: ChromaSubsampling?) throws {
        let result = try header(Sample.picture(frame: Sample.startOfFrame(width: 1366, height: 768, factors: factors)))
        #expect(result.width == 1366)
        #expect(result.height == 768)
        #expect(result.bitsPerSample == 8)
        #expect(result.componentCount == factors.count)
        #expect(result.subsampling == subsampling)
        #expect(result.hasHuffmanTables)
        #expect(!result.isProgressive)
    }

    @Test func `tells progressive pictures and missing Huffman tables`() throws {
        let result = try header(Sample.picture(frame: Sample.startOfFrame(0xC2), tables: []))
        #expect(result.isProgressive)
        #expect(result.frameMarker == 0xC2)
        #expect(!result.hasHuffmanTables)
    }

    @Test func `finds the end in one piece and in any two, and cut anywhere it wants more`() throws {
        let picture = Sample.picture()
        let stream = picture + [0, 0, 0xFF, 0xD8]
        for cut in 0...stream.count {
            var segments = JPEGSegments()
            let first = try segments.advance(over: unsafe stream.span.bytes.extracting(0..<cut))
            #expect(first == (cut >= picture.count ? picture.count : nil))
            #expect(try segments.advance(over: unsafe stream.span.bytes) == picture.count)
            #expect(segments.header?.width == 17)
        }
    }

    @Test func `finds the end byte by byte, with several scans`() throws {
        let picture =
            [0xFF, 0xD8] + Sample.startOfFrame(0xC2) + Sample.startOfScan + Sample.data
            + Sample.segment(0xC4, [0]) + Sample.startOfScan + [9, 9] + Sample.segment(0xDC, [0, 13]) + [0xFF, 0xD9]
        var segments = JPEGSegments()
        for count in 0..<picture.count {
            #expect(try segments.advance(over: unsafe picture.span.bytes.extracting(0..<count)) == nil)
        }
        #expect(try segments.advance(over: unsafe picture.span.bytes) == picture.count)
    }

    @Test(
        arguments: [
            ("no start", [0x00, 0xD8]),
            ("the wrong start", [0xFF, 0xD9]),
            ("garbage for a marker", [0xFF, 0xD8, 0x00]),
            ("a stuffed byte for a marker", [0xFF, 0xD8, 0xFF, 0x00]),
            ("a reserved marker", [0xFF, 0xD8, 0xFF, 0xBF]),
            ("a start in a picture", [0xFF, 0xD8, 0xFF, 0xD8]),
            ("an end without data", [0xFF, 0xD8, 0xFF, 0xD9]),
            ("a length of 0", [0xFF, 0xD8, 0xFF, 0xE0, 0, 0]),
            ("a length of 1", [0xFF, 0xD8, 0xFF, 0xE0, 0, 1]),
            ("a scan without a frame", [0xFF, 0xD8] + Sample.startOfScan),
            ("two frames", [0xFF, 0xD8] + Sample.startOfFrame() + Sample.startOfFrame()),
            ("no width", [0xFF, 0xD8] + Sample.startOfFrame(width: 0) + Sample.startOfScan),
            ("no height", [0xFF, 0xD8] + Sample.startOfFrame(height: 0) + Sample.startOfScan),
            ("no components", [0xFF, 0xD8] + Sample.startOfFrame(factors: []) + Sample.startOfScan),
            ("a factor of 0", [0xFF, 0xD8] + Sample.startOfFrame(factors: [0x10]) + Sample.startOfScan),
            ("a factor of 5", [0xFF, 0xD8] + Sample.startOfFrame(factors: [0x51]) + Sample.startOfScan),
            ("a short frame header", [0xFF, 0xD8] + Sample.segment(0xC0, [8, 0, 1]) + Sample.startOfScan),
            (
                "a frame header of another length",
                [0xFF, 0xD8] + Sample.segment(0xC0, [8, 0, 1, 0, 1, 3, 1]) + Sample.startOfScan
            ),
            (
                "the next picture in the data",
                [0xFF, 0xD8] + Sample.startOfFrame() + Sample.startOfScan + [1, 0xFF, 0xD8]
            ),
        ] as [(String, [UInt8])])
    func `refuses what cannot be a JPEG`(name: String, bytes: [UInt8]) {
        var segments = JPEGSegments()
        let error = #expect(throws: FrameStreamingError.self, "\(name)") {
            try segments.advance(over: unsafe bytes.span.bytes)
        }
        #expect(error?.code == .corruptImage)
    }

    @Test func `a header that was cut is refused in words`() {
        let picture = Sample.picture()
        let error = #expect(throws: FrameStreamingError.self) { try header(Array(picture[..<30])) }
        #expect(error?.code == .corruptImage)
        #expect(error?.message.contains("cut") == true)
    }

    @Test func `survives every single damaged byte, and random bytes`() {
        var random = SystemRandomNumberGenerator()
        let picture = Sample.picture()
        for index in picture.indices {
            for value in [0x00, 0xFF, 0xD8, 0xD9, 0x80, UInt8.random(in: 0...255, using: &random)] as [UInt8] {
                var damaged = picture
                damaged[index] = value
                var segments = JPEGSegments()
                let end = try? segments.advance(over: unsafe damaged.span.bytes)
                #expect(end ?? 0 <= damaged.count)
            }
        }
        for _ in 0..<2000 {
            let bytes = [0xFF, 0xD8, 0xFF] + (0..<64).map { _ in UInt8.random(in: 0...255, using: &random) | 0xC0 }
            var segments = JPEGSegments()
            let end = try? segments.advance(over: unsafe bytes.span.bytes)
            #expect(end ?? 0 <= bytes.count)
        }
    }
}
