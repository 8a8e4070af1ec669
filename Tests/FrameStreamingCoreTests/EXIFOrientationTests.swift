import Testing

@testable import FrameStreamingCore

/// The orientation in a JPEG's EXIF data, whatever the bytes are.
@Suite struct EXIFOrientationTests {
    /// The start of a JPEG with one EXIF segment.
    static func jpeg(
        orientation: Int, bigEndian: Bool = false, type: Int = 3, count: Int = 1, entries: Int? = nil,
        directory: Int = 8, magic: Int = 42, before: [UInt8] = []
    ) -> [UInt8] {
        func number(_ value: Int, _ bytes: Int) -> [UInt8] {
            let little = (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            return bigEndian ? little.reversed() : little
        }
        func entry(_ tag: Int, _ value: Int) -> [UInt8] {
            number(tag, 2) + number(type, 2) + number(count, 4) + number(value, 2) + [0, 0]
        }
        let tiff =
            Array((bigEndian ? "MM" : "II").utf8) + number(magic, 2) + number(directory, 4) + number(entries ?? 2, 2)
            + entry(0x010F, 77) + entry(0x0112, orientation) + number(0, 4)
        let payload = Array("Exif".utf8) + [0, 0] + tiff
        let length = payload.count + 2
        return [0xFF, 0xD8] + before + [0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 255)] + payload
            + [0xFF, 0xDA, 0, 2, 0xFF, 0xD9]
    }

    private func turn(_ bytes: [UInt8]) -> PictureTurn { unsafe EXIFOrientation.turn(of: bytes.span.bytes) }

    private func setUpright(_ bytes: inout [UInt8]) {
        var samples = bytes.mutableSpan
        var raw = unsafe samples.mutableBytes
        EXIFOrientation.setUpright(&raw)
    }

    @Test(arguments: [false, true]) func allOrientationsAreRead(bigEndian: Bool) {
        for value in 1...8 {
            let bytes = Self.jpeg(orientation: value, bigEndian: bigEndian)
            #expect(turn(bytes) == PictureTurn(exifOrientation: value))
            // Behind another application's segment, and fill bytes.
            let later = Self.jpeg(
                orientation: value, bigEndian: bigEndian,
                before: [0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xFF, 0xE1, 0, 3, 9, 0xFF])
            #expect(turn(later) == PictureTurn(exifOrientation: value))
        }
    }

    @Test(
        arguments: [
            [0, 0, 0, 7], [1, 0xFF, 0, 2], [0xFF, 0xD0], [0xFF, 0x01, 9], [0xFF, 0xE2, 0, 0],
            [0xFF, 0xE0, 0, 3, 9, 5, 5],
        ] as [[UInt8]]) func bytesBetweenSegmentsArePassed(junk: [UInt8])
    {
        #expect(turn(Self.jpeg(orientation: 6, before: junk)) == .rotate90)
    }

    @Test func whatIsNoOrientationCountsAsUpright() {
        let wrong: [[UInt8]] = [
            Self.jpeg(orientation: 0), Self.jpeg(orientation: 9), Self.jpeg(orientation: 0xFFFF),
            Self.jpeg(orientation: 6, type: 4), Self.jpeg(orientation: 6, count: 2),
            Self.jpeg(orientation: 6, count: -1),
            Self.jpeg(orientation: 6, entries: 1), Self.jpeg(orientation: 6, entries: 0),
            Self.jpeg(orientation: 6, directory: -1), Self.jpeg(orientation: 6, directory: 0x7FFF_FFFF),
            Self.jpeg(orientation: 6, magic: 43), [], [0xFF], [0xFF, 0xD8], [0xFF, 0xD8, 0xFF, 0xE1],
            [0xFF, 0xD8, 0xFF, 0xE1, 0, 0], [0xFF, 0xD8, 0xFF, 0xE1, 0, 1], [0xFF, 0xD8, 0xFF, 0xE1, 0xFF, 0xFF],
            [UInt8](repeating: 0xFF, count: 100),
        ]
        for bytes in wrong { #expect(turn(bytes) == .none) }
    }

    @Test func aCutAnywhereIsHarmless() {
        for bigEndian in [false, true] {
            let bytes = Self.jpeg(orientation: 6, bigEndian: bigEndian, entries: 0xFFFF)
            #expect(turn(bytes) == .rotate90)
            for count in bytes.indices { _ = turn(Array(bytes[..<count])) }
            // Every byte changed to the extremes.
            for index in bytes.indices {
                for value in [UInt8(0), 1, 0x7F, 0x80, 0xFF] {
                    var changed = bytes
                    changed[index] = value
                    _ = turn(changed)
                    setUpright(&changed)
                }
            }
        }
    }

    @Test(arguments: [false, true]) func uprightChangesTheTwoBytesAlone(bigEndian: Bool) {
        for value in 1...8 {
            var bytes = Self.jpeg(orientation: value, bigEndian: bigEndian)
            setUpright(&bytes)
            #expect(bytes == Self.jpeg(orientation: 1, bigEndian: bigEndian))
        }
        var none: [UInt8] = [0xFF, 0xD8, 0xFF, 0xDA, 0, 2]
        setUpright(&none)
        #expect(none == [0xFF, 0xD8, 0xFF, 0xDA, 0, 2])
    }
}
