import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingSystem
import Glibc
import Testing

@Suite struct RawFileSourceTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func layout(_ format: PixelFormat, _ width: Int = 17, _ height: Int = 13) throws -> FrameFormat {
        try FrameFormat(width: width, height: height, pixelFormat: format)
    }

    /// A Y4M of three small frames, one of them with parameters on its FRAME line.
    private func clip(
        header: String = "YUV4MPEG2 W5 H3 F25:1 Ip C420jpeg\n", pictureBytes: Int = 27
    ) -> (bytes: [UInt8], pictures: [[UInt8]], ends: [Int]) {
        var bytes = Array(header.utf8)
        let pictures = (0..<3).map { noise(pictureBytes, seed: $0) }
        var ends: [Int] = []
        for (index, picture) in pictures.enumerated() {
            bytes += Array((index == 1 ? "FRAME Ip X=1\n" : "FRAME\n").utf8) + picture
            ends.append(bytes.count)
        }
        return (bytes, pictures, ends)
    }

    @Test(arguments: TestPattern.pixelFormats, [(1, 1), (17, 13), (64, 2)])
    func `reads headerless frames of every format and odd sizes`(format: PixelFormat, size: (Int, Int)) throws {
        let layout = try layout(format, size.0, size.1)
        let bytes = noise(layout.byteCount * 3)
        var source = try RawFileSource(path: directory.file("a.raw", bytes), layout: layout, options: .fast)
        #expect(source.format == layout)
        #expect(source.frameCount == 3)
        #expect(!source.isLive)
        let (frames, error) = drain(&source)
        #expect(error == nil)
        #expect(frames.flatMap(\.array) == bytes)
        #expect(frames.map(\.sequence) == [0, 1, 2])
        #expect(frames.allSatisfy { $0.format == layout && $0.captureTime?.clock == .monotonic })
        #expect(try source.next(until: .now) == nil)
    }

    @Test(arguments: [
        ("C420jpeg", 27, PixelFormat.i420), ("C422", 33, .i422), ("C444", 45, .i444), ("Cmono", 15, .gray8),
    ])
    func `reads Y4M of every chroma`(chroma: String, count: Int, format: PixelFormat) throws {
        let clip = clip(header: "YUV4MPEG2 W5 H3 F30000:1001 It A1:1 \(chroma) XFOO\n", pictureBytes: count)
        var source = try RawFileSource(path: directory.file("a.y4m", clip.bytes), options: .fast)
        #expect(source.format?.pixelFormat == format)
        #expect(source.format?.colorRange == .limited)
        #expect(source.frameRate == FrameRate(30000, per: 1001))
        #expect(source.frameCount == 3)
        let (frames, error) = drain(&source)
        #expect(error == nil)
        #expect(frames.map(\.array) == clip.pictures)
    }

    @Test func `an input that ends behind its header is an error`() throws {
        let header = "YUV4MPEG2 W5 H3 F25:1\n"
        let path = try directory.file("a.y4m", Array(header.utf8))
        #expect(try failure { _ = try RawFileSource(path: path) }.code == .truncatedInput)
        let pipe = try Pipe()
        try pipe.write(Array(header.utf8))
        pipe.close()
        var source = try RawFileSource(pipe.output, name: "pipe", options: .fast)
        let (frames, error) = drain(&source)
        #expect(frames.isEmpty && error?.code == .truncatedInput)
        #expect(error?.message.contains("header") == true)
    }

    @Test(arguments: ["\r\n", " Ip\r\n", "\tIp\n"]) func `lines may end with CR LF`(end: String) throws {
        let pictures = (0..<3).map { noise(27, seed: $0) }
        let bytes =
            Array("YUV4MPEG2 W5 H3 F25:1 C420jpeg\r\n".utf8) + pictures.flatMap { Array("FRAME\(end)".utf8) + $0 }
        var source = try RawFileSource(path: directory.file("a.y4m", bytes), options: .fast)
        let (frames, error) = drain(&source)
        #expect(error == nil && frames.map(\.array) == pictures)
    }

    @Test func `the options override a header that states neither rate nor range`() throws {
        let bytes = clip(header: "YUV4MPEG2 W5 H3 F0:1 A0:1 XCOLORRANGE=UNKNOWN C420p8\n").bytes
        let path = try directory.file("a.y4m", bytes)
        #expect(try RawFileSource(path: path).frameRate == .thirty)
        #expect(try RawFileSource(path: path).format?.colorRange == .limited)
        let source = try RawFileSource(path: path, options: .init(rate: FrameRate(5), colorRange: .full))
        #expect(source.frameRate == FrameRate(5) && source.format?.colorRange == .full)
    }

    @Test func `headerless gray and RGB are full range, YUV is limited`() throws {
        for format in TestPattern.pixelFormats {
            let layout = try layout(format)
            let path = try directory.file("a.raw", noise(layout.byteCount))
            let range = try RawFileSource(path: path, layout: layout).format?.colorRange
            #expect(range == (format == .gray8 || !format.isYUV ? .full : .limited), "\(format)")
        }
    }

    @Test func `an unknown layout is refused with a list`() throws {
        let path = try directory.file("a.raw", noise(100))
        let error = try failure {
            let layout = try FrameFormat(width: 4, height: 4, pixelFormat: #require(PixelFormat(name: "H264")))
            _ = try RawFileSource(path: path, layout: layout)
        }
        #expect(error.code == .invalidArgument && error.message.contains("NV12, "), "\(error)")
    }

    @Test func `the range is the option's, else the file's, else limited`() throws {
        func range(_ header: String, _ option: ColorRange?) throws -> ColorRange? {
            let bytes = clip(header: "YUV4MPEG2 W5 H3\(header)\n").bytes
            var options = PlaybackOptions.fast
            options.colorRange = option
            var source = try RawFileSource(path: directory.file("r.y4m", bytes), options: options)
            #expect(drain(&source).frames.first?.sourceColorRange == source.format?.colorRange)
            return source.format?.colorRange
        }
        #expect(try range("", nil) == .limited)
        #expect(try range(" XCOLORRANGE=FULL", nil) == .full)
        #expect(try range(" XCOLORRANGE=FULL", .limited) == .limited)
        #expect(try range("", .full) == .full)
    }

    @Test func `the rate is the option's, else the file's, else 30`() throws {
        let path = try directory.file("a.y4m", clip().bytes)
        #expect(try RawFileSource(path: path).frameRate == FrameRate(25))
        #expect(try RawFileSource(path: path, options: .init(rate: FrameRate(5))).frameRate == FrameRate(5))
        let unknown = try directory.file("b.y4m", clip(header: "YUV4MPEG2 W5 H3 F0:0\n").bytes)
        #expect(try RawFileSource(path: unknown).frameRate == .thirty)
    }

    @Test func `a pipe cut at any byte gives the complete frames, then the missing bytes`() throws {
        let clip = clip()
        for cut in 0...clip.bytes.count {
            let pipe = try Pipe()
            try pipe.write(Array(clip.bytes[..<cut]))
            pipe.close()
            var source = try RawFileSource(pipe.output, name: "pipe", options: .fast)
            let (frames, error) = drain(&source)
            let whole = clip.ends.filter { $0 <= cut }.count
            #expect(frames.map(\.array) == Array(clip.pictures[..<whole]))
            if clip.ends.contains(cut) {
                #expect(error == nil, "cut at \(cut)")
            } else if (1..<9).contains(cut) {
                #expect(error?.code == .malformedInput, "cut at \(cut)")
            } else {
                #expect(error?.code == .truncatedInput, "cut at \(cut)")
            }
            // A second call reports the same.
            #expect(drain(&source).error == error)
        }
    }

    @Test func `a file cut at any byte does too, and counts the missing bytes`() throws {
        let layout = try layout(.i420, 5, 3)
        let bytes = noise(27 * 3)
        for cut in 0...bytes.count {
            let path = try directory.file("cut", Array(bytes[..<cut]))
            guard cut >= 27 else {
                let error = try failure { _ = try RawFileSource(path: path, layout: layout) }
                #expect(error.code == .truncatedInput)
                continue
            }
            var source = try RawFileSource(path: path, layout: layout, options: .fast)
            let (frames, error) = drain(&source)
            #expect(frames.count == cut / 27)
            #expect((error == nil) == (cut % 27 == 0))
            if let error {
                #expect(error.code == .truncatedInput)
                #expect(error.message.contains("\(27 - cut % 27) of 27 bytes are missing after \(cut / 27) whole"))
                #expect(error.subject == path)
            }
        }
    }

    @Test func `bytes that come one at a time between deadlines are all kept`() throws {
        let clip = clip()
        let pipe = try Pipe()
        let source = try RawFileSource(pipe.output, name: "pipe", options: .fast)
        var pictures: [[UInt8]] = []
        for byte in clip.bytes {
            do {
                while case .frame(let frame) = try source.next(until: .now) { pictures.append(frame.array) }
            } catch {
                #expect(error.code == .timedOut)
            }
            try pipe.write([byte])
        }
        pipe.close()
        while case .frame(let frame) = try source.next(until: .now) { pictures.append(frame.array) }
        #expect(pictures == clip.pictures)
        #expect(source.format?.width == 5)
    }

    @Test func `a caller can wait for the header of a pipe`() throws {
        let pipe = try Pipe()
        let source = try RawFileSource(pipe.output, name: "pipe", options: .fast)
        #expect(source.format == nil)
        #expect(try failure { try source.readHeader(until: .now) }.code == .timedOut)
        try pipe.write(clip().bytes)
        #expect(try source.readHeader(until: .after(.seconds(20))).height == 3)
        #expect(source.frameCount == nil)
    }

    @Test func `a shared descriptor stays blocking`() throws {
        let pipe = try Pipe()
        let source = try RawFileSource(pipe.output, name: "pipe", options: .fast)
        _ = try? source.next(until: .now)
        #expect(fcntl(pipe.output.raw, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test func `waits for the writer of a FIFO, and ends when it leaves`() throws {
        let path = directory.path("fifo")
        try #require(unsafe mkfifo(path, 0o600) == 0)
        var source = try RawFileSource(path: path, options: .fast)
        for _ in 0..<3 {
            #expect(try failure { _ = try source.next(until: .after(.milliseconds(5))) }.code == .timedOut)
        }
        let clip = clip()
        let writer = try Descriptor.open(path, flags: O_WRONLY)
        try writer.writeAll(unsafe clip.bytes.span.bytes.extracting(0..<clip.ends[0] + 3))
        #expect(try source.next(until: .after(.seconds(20))) != nil)
        #expect(try failure { _ = try source.next(until: .after(.milliseconds(5))) }.code == .timedOut)
        try writer.writeAll(unsafe clip.bytes.span.bytes.extracting(droppingFirst: clip.ends[0] + 3))
        withExtendedLifetime(writer) {}
        _ = consume writer
        let (frames, error) = drain(&source)
        #expect(error == nil)
        #expect(frames.map(\.array) == Array(clip.pictures[1...]))
    }

    @Test func `a FIFO whose writer writes nothing is empty`() throws {
        let path = directory.path("fifo")
        try #require(unsafe mkfifo(path, 0o600) == 0)
        var source = try RawFileSource(path: path, layout: layout(.gray8), options: .fast)
        _ = try Descriptor.open(path, flags: O_WRONLY)
        let (frames, error) = drain(&source)
        #expect(frames.isEmpty)
        #expect(error?.code == .truncatedInput)
        #expect(error?.message.contains("empty") == true)
    }

    @Test func `loops over a file with continuing numbers`() throws {
        let clip = clip()
        var source = try RawFileSource(
            path: directory.file("a.y4m", clip.bytes), options: .init(loop: true, pace: .maximum))
        let (frames, error) = drain(&source, limit: 8)
        #expect(error == nil)
        #expect(frames.map(\.sequence) == Array(0..<8))
        #expect(frames.map(\.array) == (0..<8).map { clip.pictures[$0 % 3] })
    }

    @Test func `a loop stops at a truncated end, and at once in a file without frames`() throws {
        let layout = try layout(.gray8, 2, 2)
        let options = PlaybackOptions(loop: true, pace: .maximum)
        var cut = try RawFileSource(path: directory.file("cut", noise(9)), layout: layout, options: options)
        let (frames, error) = drain(&cut)
        #expect(frames.count == 2)
        #expect(error?.code == .truncatedInput)
        let none = try directory.file("none", Array("YUV4MPEG2 W2 H2\n".utf8))
        #expect(try failure { _ = try RawFileSource(path: none, options: options) }.code == .truncatedInput)
    }

    @Test func `an input that can be read only once cannot be looped`() throws {
        let pipe = try Pipe()
        let error = try failure {
            _ = try RawFileSource(pipe.output, name: "pipe", options: .init(loop: true))
        }
        #expect(error.code == .unsupported)
    }

    @Test func `realtime returns each frame when it is due, and waits no longer than the deadline`() throws {
        let clock = ScriptClock()
        var options = PlaybackOptions(rate: FrameRate(10))
        options.clock = clock
        let source = try RawFileSource(path: directory.file("a.y4m", clip().bytes), options: options)
        let start = clock.now
        var times: [Duration] = []
        var timeouts = 0
        while times.count < 3 {
            do {
                guard case .frame(let frame) = try source.next(until: .at(clock.now.advanced(by: .milliseconds(30))))
                else { break }
                #expect(frame.captureTime?.nanoseconds == clock.now.nanoseconds)
                times.append(clock.now.since(start))
            } catch {
                #expect(error.code == .timedOut)
                timeouts += 1
            }
        }
        #expect(times == [.zero, .milliseconds(100), .milliseconds(200)])
        // The bytes 30, 60 and 90, then the frame, twice.
        #expect(timeouts == 6)
    }

    @Test func `no buffer is allocated once warm`() throws {
        let layout = try layout(.gray8, 64, 64)
        let source = try RawFileSource(path: directory.file("a", noise(4096 * 40)), layout: layout, options: .fast)
        var sawAgain = Set<UInt>()
        for _ in 0..<40 {
            guard case .frame(let frame) = try source.next(until: .now) else { break }
            unsafe frame.withUnsafeBytes { bytes in _ = sawAgain.insert(UInt(bitPattern: bytes.baseAddress)) }
        }
        #expect(sawAgain.count <= 2)
    }

    @Test func `refuses with the right code and a remedy`() throws {
        let layout = try layout(.i420)
        func code(_ body: () throws -> Void) throws -> FrameStreamingError.Code {
            let error = try failure(body)
            #expect(error.message.count > 15)
            #expect(error.subject != nil)
            return error.code
        }
        let here = directory.path
        #expect(try code { _ = try RawFileSource(path: here + "/none") } == .notFound)
        #expect(try code { _ = try RawFileSource(path: here) } == .invalidArgument)
        let empty = try directory.file("empty")
        #expect(try code { _ = try RawFileSource(path: empty) } == .truncatedInput)
        #expect(try code { _ = try RawFileSource(path: empty, layout: layout) } == .truncatedInput)
        let garbage = try directory.file("garbage", noise(1000))
        #expect(try code { _ = try RawFileSource(path: garbage) } == .malformedInput)
        let jpeg = try self.layout(.jpeg)
        #expect(try code { _ = try RawFileSource(path: garbage, layout: jpeg) } == .invalidArgument)
        let padded = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8, strides: [8])
        #expect(try code { _ = try RawFileSource(path: garbage, layout: padded) } == .unsupported)
        let huge = try self.layout(.rgba32, 65535, 65535)
        #expect(try code { _ = try RawFileSource(path: garbage, layout: huge) } == .limitExceeded)
        let hugeHeader = try directory.file("huge", Array("YUV4MPEG2 W65535 H65535 C444\n".utf8))
        #expect(try code { _ = try RawFileSource(path: hugeHeader) } == .limitExceeded)
        let long = try directory.file("long", Array("YUV4MPEG2 X".utf8) + [UInt8](repeating: 65, count: 5000))
        #expect(try code { _ = try RawFileSource(path: long) } == .limitExceeded)
        let open = try directory.file("open", Array("YUV4MPEG2 W5 H3".utf8))
        #expect(try code { _ = try RawFileSource(path: open) } == .truncatedInput)
        let chroma = try directory.file("chroma", Array("YUV4MPEG2 W5 H3 C420p10\n".utf8))
        #expect(try code { _ = try RawFileSource(path: chroma) } == .unsupported)
    }

    @Test(arguments: ["FRAMES\n", "frame\n", "FRAMX\n", "\n", "FRAME " + String(repeating: "x", count: 5000) + "\n"])
    func `a damaged FRAME line ends the stream after the frames before it`(line: String) throws {
        var bytes = clip().bytes
        bytes += Array(line.utf8) + noise(27)
        var source = try RawFileSource(path: directory.file("a.y4m", bytes), options: .fast)
        let (frames, error) = drain(&source)
        #expect(frames.count == 3)
        #expect(error?.code == .malformedInput)
    }
}
