import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingSystem
import Testing

@Suite struct FileSourceTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private let pictures = (0..<3).map { fakeJPEG(tag: UInt8($0 + 1)) }
    private let y4m =
        Array("YUV4MPEG2 W4 H2 F25:1\nFRAME\n".utf8) + noise(12) + Array("FRAME\n".utf8) + noise(12, seed: 1)

    /// The frames of bytes in a file of any name, and in a pipe.
    private func read(_ bytes: [UInt8], name: String = "input") throws -> [[[UInt8]]] {
        var file = try FileSource(path: directory.file(name, bytes), options: .fast)
        let pipe = try Pipe()
        try pipe.write(bytes)
        pipe.close()
        var piped = try FileSource(pipe.output, name: "pipe", options: .fast)
        let results = [drain(&file), drain(&piped)]
        for result in results { #expect(result.error == nil) }
        return results.map { $0.frames.map(\.array) }
    }

    @Test(arguments: ["input", "input.y4m", "input.raw", "input.mjpg"]) func `the bytes count, and not the name`(
        name: String
    ) throws {
        #expect(try read(pictures.flatMap { $0 }, name: name) == [pictures, pictures])
        let raw = [noise(12), noise(12, seed: 1)]
        #expect(try read(y4m, name: name) == [raw, raw])
    }

    @Test(arguments: [
        "--b\r\nContent-Type: image/jpeg\r\n\r\n", "\r\n--b\r\nContent-Length: 99\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n--b\r\n\r\n",
        "Content-Type: multipart/x-mixed-replace\r\n\r\n--b\r\n",
        "myboundary\r\nContent-Type: image/jpeg\r\n\r\n", "X-Timestamp: 1.5\ncontent-length: 99\n\n",
    ])
    func `a multipart is JPEGs with text between them`(header: String) throws {
        #expect(try read(pictures.flatMap { Array(header.utf8) + $0 + [0x0D, 0x0A] }) == [pictures, pictures])
    }

    @Test func `a Y4M file tells how many frames it has`() throws {
        #expect(try FileSource(path: directory.file("a", y4m)).frameCount == 2)
        #expect(try FileSource(path: directory.file("b", pictures[0])).frameCount == nil)
    }

    @Test func `a beginning inside a frame is passed, whatever the name`() throws {
        let whole = Array(pictures[..<2])
        // A pipe holds 64 KiB.
        for count in [1, 11, 12, 40_000] {
            #expect(try read([UInt8](repeating: 7, count: count) + whole.flatMap { $0 }) == [whole, whole])
        }
        let bytes = [UInt8](repeating: 7, count: 1_000_000) + whole.flatMap { $0 }
        var source = try FileSource(path: directory.file("a", bytes), options: .fast)
        #expect(drain(&source).frames.map(\.array) == whole)
    }

    @Test func `a part's header in front of the first frame tells a multipart`() throws {
        let part = Array("\r\nbound\r\nContent-Type: image/jpeg\r\n\r\n".utf8) + pictures[0]
        for (bytes, isLive) in [(noise(200) + part, true), (noise(200) + pictures[0], false)] {
            let pipe = try Pipe()
            try pipe.write(bytes)
            pipe.close()
            let source = try FileSource(pipe.output, name: "pipe")
            _ = try source.next(until: .after(.seconds(20)))
            #expect(source.isLive == isLive)
        }
    }

    @Test func `only a name that says JPEG lets a file be searched to its end`() throws {
        let bytes = [UInt8](repeating: 7, count: 2_000_000) + pictures[0]
        var source = try FileSource(path: directory.file("a.JPG", bytes), options: .fast)
        #expect(drain(&source).frames.map(\.array) == [pictures[0]])
        let error = try failure { _ = try FileSource(path: directory.file("a.bin", bytes)) }
        #expect(error.code == .malformedInput && error.message.contains("ffmpeg -i FILE"), "\(error)")
    }

    private static let foreign: [(bytes: [UInt8], name: String)] = [
        ([0, 0, 0, 0x20] + Array("ftypisom".utf8), "MP4"), ([0, 0, 0, 8] + Array("wide".utf8), "MOV"),
        ([0x1A, 0x45, 0xDF, 0xA3, 1], "Matroska"), (Array("RIFF".utf8) + [1, 2, 3, 4] + Array("AVI LIST".utf8), "AVI"),
        (Array("RIFF".utf8) + [1, 2, 3, 4] + Array("WEBP".utf8), "WebP"),
        ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], "PNG"), (Array("GIF89a".utf8), "GIF"),
        ([0, 0, 0, 1, 0x67, 0x42], "H.264"), ([0x47, 0x40, 0, 0x10, 0], "MPEG-TS"),
        (Array("FLV\u{1}\u{5}".utf8), "FLV"),
        (Array("<!DOCTYPE html>".utf8), "web page"), ([0x1F, 0x8B, 8], "gzip"),
        ([0x93] + Array("NUMPY\u{1}".utf8), "NumPy"), ([0xFF, 0xD8, 0xFF, 0xF7, 0, 11], "JPEG-LS"),
        (Array("HTTP/1.1 401 Unauthorized\r\n\r\n".utf8), "the error 401 of an HTTP server"),
        ([0x12, 0, 0x0A, 0x0B], "AV1"), ([0x1F, 0x07, 0, 0x3F], "DV"), (Array("nut/multimedia container".utf8), "NUT"),
        (Array("BM".utf8) + [0x36, 0x84, 3, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0], "BMP"), (Array("qoif".utf8), "QOI"),
    ]

    @Test(arguments: foreign) func `what is not read is named, with the way`(bytes: [UInt8], name: String) throws {
        // Longer than the bytes that are looked at, and not.
        for input in [bytes, bytes + noise(100)] {
            let path = try directory.file("film.mjpg", input)
            let error = try failure { _ = try FileSource(path: path) }
            #expect(error.code == .unsupported && error.subject == path)
            #expect(error.message.contains(name), "\(error)")
            let isMedia = !["web page", "gzip", "NumPy"].contains(name) && !name.contains("HTTP")
            #expect(error.message.contains("ffmpeg -i FILE -pix_fmt yuv420p -f yuv4mpegpipe -") == isMedia, "\(error)")
            let pipe = try Pipe()
            try pipe.write(input)
            pipe.close()
            var source = try FileSource(pipe.output, name: "pipe", options: .fast)
            #expect(drain(&source).error?.code == .unsupported)
            #expect(drain(&source).error?.code == .unsupported)
        }
    }

    @Test(arguments: [
        "http://camera/video", "https://a/b.mjpg", "rtsp://camera:554/1", "udp://@:1234", "file:///a.y4m",
    ])
    func `an address is no file`(url: String) throws {
        for open in [{ _ = try FileSource(path: url) }, { _ = try RawFileSource(path: url) }] as [() throws -> Void] {
            let error = try failure(open)
            #expect(error.code == .unsupported && error.message.contains("URL"), "\(error)")
        }
    }

    @Test func `bytes that come one at a time between deadlines are all kept`() throws {
        for (bytes, expected) in [(pictures.flatMap { $0 }, pictures), (y4m, [noise(12), noise(12, seed: 1)])] {
            let pipe = try Pipe()
            let source = try FileSource(pipe.output, name: "pipe", options: .fast)
            var got: [[UInt8]] = []
            for byte in bytes {
                #expect(try failure { _ = try source.next(until: .now) }.code == .timedOut)
                try pipe.write([byte])
                if let event = try? source.next(until: .now), case .frame(let frame) = event { got.append(frame.array) }
            }
            #expect(got == expected)
            pipe.close()
            #expect(try source.next(until: .now) == nil)
        }
    }

    @Test func `loops, and not over a pipe`() throws {
        var source = try FileSource(
            path: directory.file("a", pictures.flatMap { $0 }), options: .init(loop: true, pace: .maximum))
        #expect(drain(&source, limit: 7).frames.map(\.array) == (0..<7).map { pictures[$0 % 3] })
        let pipe = try Pipe()
        #expect(
            try failure { _ = try FileSource(pipe.output, name: "pipe", options: .init(loop: true)) }.code
                == .unsupported)
    }

    @Test func `an empty input is an error`() throws {
        #expect(try failure { _ = try FileSource(path: directory.file("empty")) }.code == .truncatedInput)
        let pipe = try Pipe()
        pipe.close()
        var source = try FileSource(pipe.output, name: "pipe", options: .fast)
        #expect(drain(&source).error?.code == .truncatedInput)
    }
}
