import FrameStreamingCore
import FrameStreamingSystem
import Testing

@testable import FrameStreamingFiles

/// The bytes of films, read by a small reader of the tests' own. FFmpeg reads them in
/// `FilmRecorderTests` of FrameStreamingMediaTests.
@Suite struct FilmWriterTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func jpeg(_ tag: UInt8, at time: Int64, width: Int = 17) throws -> Frame {
        var frame = try makeFrame(
            fakeJPEG(width: width, tag: tag), FrameFormat(width: width, height: 13, pixelFormat: .jpeg))
        frame.captureTime = CaptureTime(nanoseconds: time)
        return frame
    }

    private func h264(key: Bool, _ tag: UInt8, sets: UInt8 = 0x1F) throws -> Frame {
        let parameters: [UInt8] = [0, 0, 0, 1, 0x67, 66, 0, sets, 0xAA, 0, 0, 0, 1, 0x68, 0xCE, 0x38]
        var frame = try makeFrame(
            (key ? parameters : []) + [0, 0, 1, key ? 0x65 : 0x41, tag, 0x80],
            FrameFormat(width: 16, height: 16, pixelFormat: .h264))
        frame.dependsOnPrevious = !key
        frame.captureTime = CaptureTime(nanoseconds: 1_000 * Int64(tag))
        return frame
    }

    /// The elements of a Matroska file's level: names, places of the content, and sizes.
    private func elements(_ bytes: [UInt8], from start: Int = 0, to end: Int? = nil) -> [(
        id: UInt64, content: Range<Int>
    )] {
        var result: [(id: UInt64, content: Range<Int>)] = []
        var index = start
        let end = end ?? bytes.count
        while index < end {
            let nameCount = bytes[index].leadingZeroBitCount + 1
            let id = bytes[index..<index + nameCount].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            index += nameCount
            let sizeCount = bytes[index].leadingZeroBitCount + 1
            var size = bytes[index..<index + sizeCount].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            size &= (1 << UInt64(7 * sizeCount)) - 1
            index += sizeCount
            let isUnknown = size == (1 << UInt64(7 * sizeCount)) - 1
            let last = isUnknown ? end : index + Int(size)
            result.append((id, index..<min(last, end)))
            index = last
        }
        return result
    }

    @Test func `a matroska file has a cluster for each frame, and an index when it is closed`() throws {
        let recorder = try FilmRecorder(path: directory.path("a.mkv"), stream: "Front")
        for number in 0..<5 as Range<Int64> {
            try recorder.write(try jpeg(UInt8(number), at: 7 + number * 1_000_000_000))
        }
        let open = try contents(directory.path("a.mkv"))
        recorder.close()
        let closed = try contents(directory.path("a.mkv"))
        for bytes in [open, closed] {
            let top = elements(bytes)
            #expect(top.map(\.id) == [0x1A45_DFA3, 0x1853_8067])
            #expect(top[1].content.upperBound == bytes.count)
            let parts = elements(bytes, from: top[1].content.lowerBound)
            let clusters = parts.filter { $0.id == 0x1F43_B675 }
            #expect(clusters.count == 5)
            for (number, cluster) in clusters.enumerated() {
                let inner = elements(bytes, from: cluster.content.lowerBound, to: cluster.content.upperBound)
                #expect(inner.map(\.id) == [0xE7, 0xA3])
                let time = bytes[inner[0].content].reduce(0) { $0 << 8 | Int($1) }
                #expect(time == number * 1_000_000)
                #expect(Array(bytes[inner[1].content].dropFirst(4)) == fakeJPEG(tag: UInt8(number)))
            }
            let isClosed = bytes == closed
            #expect(parts.last?.id == (isClosed ? 0x1C53_BB6B : 0x1F43_B675))
            #expect(parts.first?.id == (isClosed ? 0x114D_9B74 : 0xEC))
            // Every entry of the index leads to a cluster.
            guard isClosed, let cues = parts.last else { continue }
            let points = elements(bytes, from: cues.content.lowerBound, to: cues.content.upperBound)
            #expect(points.count == 5)
            for point in points {
                let inner = elements(bytes, from: point.content.lowerBound, to: point.content.upperBound)
                let place = elements(bytes, from: inner[1].content.lowerBound, to: inner[1].content.upperBound)
                let offset = bytes[place[1].content].reduce(0) { $0 << 8 | Int($1) } + top[1].content.lowerBound
                #expect(bytes[offset..<offset + 4].elementsEqual([0x1F, 0x43, 0xB6, 0x75]))
            }
        }
    }

    @Test func `other formats, sizes and parameter sets begin another film`() throws {
        for ending in ["mkv", "mp4"] {
            let recorder = try FilmRecorder(path: directory.path("a.\(ending)"))
            try recorder.write(try jpeg(1, at: 1))
            let gray = try makeFrame([1], FrameFormat(width: 1, height: 1, pixelFormat: .gray8))
            for other in [gray, try jpeg(2, at: 2, width: 18), try h264(key: true, 3)] {
                #expect(!recorder.accepts(other))
                #expect(try failure { try recorder.write(other) }.code == .unsupported)
            }
            try recorder.write(try jpeg(4, at: 4))
            #expect(recorder.frameCount == 2)
            recorder.close()
            recorder.close()
            #expect(try failure { try recorder.write(jpeg(1, at: 9)) }.code == .closed)

            let video = try FilmRecorder(path: directory.path("v.\(ending)"))
            try video.write(try h264(key: true, 1))
            try video.write(try h264(key: false, 2))
            let (same, other) = (try h264(key: true, 3), try h264(key: true, 3, sets: 0x28))
            #expect(video.accepts(same) && !video.accepts(other))
            let plain = try makeFrame([0, 0, 1, 0x65, 1], FrameFormat(width: 16, height: 16, pixelFormat: .h264))
            #expect(try failure { try video.write(plain) }.code == .corruptImage)
        }
    }

    @Test func `a film begins with a key frame, and again after a frame that is missing`() throws {
        let recorder = try FilmRecorder(path: directory.path("a.mkv"))
        for tag in 1...3 as ClosedRange<UInt8> {
            let frame = try h264(key: false, tag)
            #expect(recorder.accepts(frame))
            try recorder.write(frame)
        }
        #expect(recorder.frameCount == 0 && recorder.leftOutCount == 3)
        try recorder.write(try h264(key: true, 4))
        try recorder.write(try h264(key: false, 5))
        #expect(recorder.frameCount == 2 && recorder.leftOutCount == 3)
        let full = try FilmRecorder(path: "/dev/full", container: .matroska)
        #expect(try failure { try full.write(h264(key: true, 1)) }.code == .system)
        #expect(full.frameCount == 0)
        let none = try FilmRecorder(path: directory.path("none.mp4"))
        none.close()
        #expect(throws: (any Error).self) { try contents(directory.path("none.mp4")) }
        #expect(try failure { _ = try FilmRecorder(path: directory.path("a.avi")) }.code == .invalidArgument)
    }

    @Test func `a suspended film goes on, and one that was changed is lost`() throws {
        let recorder = try FilmRecorder(path: directory.path("a.mp4"))
        try recorder.write(try jpeg(1, at: 1))
        recorder.suspend()
        try recorder.write(try jpeg(2, at: 1_000_001))
        recorder.suspend()
        recorder.close()
        let bytes = try contents(directory.path("a.mp4"))
        #expect(bytes.suffix(16).dropFirst(4).elementsEqual(Array("mfro".utf8) + bytes.suffix(8)))

        let lost = try FilmRecorder(path: directory.path("b.mkv"))
        try lost.write(try jpeg(1, at: 1))
        try removeFile(directory.path("b.mkv"))
        #expect(try failure { try lost.write(jpeg(2, at: 2)) }.code == .recordingLost)
    }

    @Test func `units are found between start codes of either length`() {
        let bytes: [UInt8] = [0, 0, 0, 1, 9, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x65, 0, 0, 3, 1, 0, 0, 0]
        let span = unsafe bytes.span.bytes
        let units = AnnexB.units(of: span)
        #expect(units.map { Array(bytes[$0]) } == [[9], [0x67, 1, 2], [0x65, 0, 0, 3, 1]])
        var packed: [UInt8] = [1]
        AnnexB.writeWithLengths(units, of: span, to: &packed)
        #expect(packed == [0, 0, 0, 1, 9, 0, 0, 0, 3, 0x67, 1, 2, 0, 0, 0, 5, 0x65, 0, 0, 3, 1])
    }

    @Test func `any bytes are walked through`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0..<60)).map { _ -> UInt8 in
                [0, 0, 0, 1, 1, 0x67, 0x68, 100, .random(in: 0...255)].randomElement(using: &generator) ?? 0
            }
            let span = unsafe bytes.span.bytes
            let units = AnnexB.units(of: span)
            #expect(units.allSatisfy { !$0.isEmpty && $0.upperBound <= bytes.count })
            if let configuration = AVCConfiguration(units, of: span) { #expect(configuration.record.count > 10) }
        }
    }

    @Test func `a long film has a bounded index, spread over all of it`() {
        var keys = KeyPoints()
        for number in 0..<1_000_000 { keys.add(Int64(number) * 33_333, at: number) }
        #expect(keys.points.count > KeyPoints.mostPoints / 4 && keys.points.count <= KeyPoints.mostPoints)
        #expect(keys.points[0].offset == 0)
        let steps = zip(keys.points, keys.points.dropFirst()).map { $1.stamp - $0.stamp }
        #expect((steps.max() ?? .max) < 2 * (steps.min() ?? 0))
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (1_796_035_565_123_456_000, "2026-11-30T10:46:05.123456Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"), (-1_000, "1969-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func `moments are written as RFC 3339 has them`(nanoseconds: Int64, text: String) {
        #expect(UTCTime(nanoseconds: nanoseconds).text == text)
        #expect(UTCTime(text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        "", "2026", "2026-11-30 10:46:05Z", "2026-13-30T10:46:05Z", "2026-11-30T10:46:05.Z", "2026-11-30T10:46:05",
        "2026-11-30T10:46:05.12x4Z", "1500-11-30T10:46:05Z", "é026-11-30T10:46:05Z",
    ])
    func `other texts are no moments`(text: String) {
        #expect(UTCTime(text) == nil)
    }

    @Test func `fractions may have any length`() {
        #expect(UTCTime("2026-11-30T10:46:05Z")?.nanoseconds == 1_796_035_565_000_000_000)
        #expect(UTCTime("2026-11-30T10:46:05.5Z")?.nanoseconds == 1_796_035_565_500_000_000)
        #expect(UTCTime("2026-11-30T10:46:05.123456789123Z")?.nanoseconds == 1_796_035_565_123_456_789)
    }
}
