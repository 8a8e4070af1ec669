import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import FrameStreamingMedia
import TestThreads
import Testing

@Suite(.ownThread(atOnce: 2)) struct MotionJPEGTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    /// JPEGs of our own codec.
    private func pictures(_ count: Int = 4) throws -> [[UInt8]] {
        let clip = try Clip(48, 32, .i420, "yuv420p", frames: count)
        let codec = JPEGCodec()
        return try clip.frames.map { bytes in
            try codec.encode(makeFrame(bytes, clip.format), EncodeSettings(quality: 80)).packed
        }
    }

    @Test(arguments: ["film.avi", "film.mkv", "film.mov", "film.mp4", "film.nut"])
    func `JPEGs in a film are the bytes that went in`(name: String) throws {
        let jpegs = try pictures()
        let raw = try directory.file("film.mjpg", jpegs.flatMap { $0 })
        try FFmpeg.run(["-f", "mjpeg", "-i", raw, "-c", "copy", directory.path(name)], in: directory)
        let result = drain(try MediaSource(path: directory.path(name), options: .fast()))
        #expect(result.error == nil && result.frames.map(\.format.pixelFormat) == [.jpeg, .jpeg, .jpeg, .jpeg])
        #expect(result.frames.map(\.packed) == jpegs)
    }

    @Test func `a film of JPEGs that has to be turned is decoded`() throws {
        let raw = try directory.file("film.mjpg", pictures().flatMap { $0 })
        let path = directory.path("film.mov")
        try FFmpeg.run(
            ["-f", "mjpeg", "-i", raw, "-c", "copy", "-metadata:s:v:0", "rotate=90", path], in: directory)
        let frames = drain(try MediaSource(path: path, options: .fast())).frames
        #expect(frames.count == 4 && frames.allSatisfy { $0.format.pixelFormat == .i420 && $0.uprightTurn != .none })
        #expect(frames.allSatisfy { $0.format.colorRange == .full })
    }

    /// The segments up to the scan, and the rest.
    private func withoutTables(_ jpeg: [UInt8]) -> [UInt8] {
        var result = Array(jpeg[..<2])
        var place = 2
        while jpeg[place + 1] != 0xDA {
            let length = Int(jpeg[place + 2]) << 8 | Int(jpeg[place + 3])
            if jpeg[place + 1] != 0xC4 { result += jpeg[place..<place + 2 + length] }
            place += 2 + length
        }
        return result + jpeg[place...]
    }

    @Test func `the tables that a camera left out are put in`() throws {
        let jpegs = try pictures()
        // ffmpeg's own mjpeg reader takes frames without tables as they are.
        let raw = try directory.file("film.mjpg", jpegs.flatMap(withoutTables))
        let path = directory.path("film.avi")
        try FFmpeg.run(["-f", "mjpeg", "-i", raw, "-c", "copy", path], in: directory)
        let frames = drain(try MediaSource(path: path, options: .fast())).frames
        #expect(frames.count == 4)
        let codec = JPEGCodec()
        for (frame, jpeg) in zip(frames, jpegs) {
            #expect(frame.packed.count > withoutTables(jpeg).count)
            let decoded = try codec.decode(frame, DecodeSettings())
            let original = try makeFrame(jpeg, FrameFormat(width: 48, height: 32, pixelFormat: .jpeg))
            let expected = try codec.decode(original, DecodeSettings())
            #expect(decoded.packed == expected.packed && !decoded.hasDecodeWarnings)
        }
    }

    @Test func `a cut JPEG costs itself`() throws {
        let jpegs = try pictures()
        let bytes = jpegs[0] + jpegs[1].prefix(jpegs[1].count / 2) + jpegs[2] + jpegs[3]
        let raw = try directory.file("film.mjpg", bytes)
        let path = directory.path("film.nut")
        try FFmpeg.run(["-f", "mjpeg", "-i", raw, "-c", "copy", path], in: directory)
        let result = drain(try MediaSource(path: path, options: .fast()))
        #expect(result.error == nil && result.damaged == 1)
        #expect(result.frames.map(\.packed) == [jpegs[0], jpegs[2], jpegs[3]])
    }
}
