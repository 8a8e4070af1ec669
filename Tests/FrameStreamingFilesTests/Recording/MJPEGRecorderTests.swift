import FrameStreamingCore
import FrameStreamingFiles
import Testing

@Suite struct MJPEGRecorderTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func jpeg(_ tag: UInt8, width: Int = 17) throws -> Frame {
        try makeFrame(
            fakeJPEG(width: width, tag: tag), FrameFormat(width: width, height: 13, pixelFormat: .jpeg))
    }

    @Test func `a written file can be read, even after a kill at any byte`() throws {
        let path = directory.path("a.mjpg")
        let recorder = try MJPEGRecorder(path: path)
        for tag in 1...3 as ClosedRange<UInt8> { try recorder.write(jpeg(tag)) }
        #expect(recorder.frameCount == 3)
        let bytes = try contents(path)
        let length = bytes.count / 3
        for cut in length...bytes.count {
            var source = try EncodedFileSource(path: directory.file("cut", Array(bytes[..<cut])), options: .fast)
            let (frames, error) = drain(&source)
            // Without its EOI a frame is complete nevertheless.
            let whole = (cut + 2) / length
            #expect(frames.map(\.array) == (1...whole).map { fakeJPEG(tag: UInt8($0)) })
            let isCut = 2..<length - 2 ~= cut % length
            #expect(error == nil && source.damagedFrameCount == (isCut ? 1 : 0))
        }
    }

    @Test func `refuses other formats and another size, and continues`() throws {
        let recorder = try MJPEGRecorder(path: directory.path("a.mjpg"))
        try recorder.write(jpeg(1))
        let gray = try makeFrame([1], FrameFormat(width: 1, height: 1, pixelFormat: .gray8))
        for other in [gray, try jpeg(2, width: 18)] {
            #expect(!recorder.accepts(other))
            #expect(try failure { try recorder.write(other) }.code == .unsupported)
        }
        try recorder.write(jpeg(3))
        recorder.close()
        recorder.close()
        #expect(recorder.frameCount == 2)
        #expect(try failure { try recorder.write(jpeg(1)) }.code == .closed)
    }

    @Test func `a full disk and a missing directory are errors`() throws {
        let full = try MJPEGRecorder(path: "/dev/full")
        #expect(try failure { try full.write(jpeg(1)) }.code == .system)
        #expect(try failure { _ = try MJPEGRecorder(path: directory.path("none/a")) }.code == .notFound)
    }
}
