import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingSystem
import Glibc
import Testing

@Suite struct Y4MRecorderTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func pattern(
        _ number: UInt64, _ format: PixelFormat, width: Int = 161, height: Int = 67, strides: [Int] = [],
        range: ColorRange? = nil
    ) throws -> Frame {
        let layout = try FrameFormat(
            width: width, height: height, pixelFormat: format, strides: strides, colorRange: range)
        var bytes = [UInt8](repeating: 99, count: layout.byteCount)
        var span = bytes.mutableSpan
        var room = unsafe span.mutableBytes
        try TestPattern(format: layout, rate: .thirty).draw(number, into: &room)
        return try makeFrame(bytes, layout)
    }

    @Test(arguments: [
        (PixelFormat.i420, PixelFormat.i420), (.yv12, .i420), (.nv12, .i420), (.nv21, .i420), (.i422, .i422),
        (.yuyv, .i422), (.uyvy, .i422), (.i444, .i444), (.gray8, .gray8),
    ])
    func `a written file can be read`(format: PixelFormat, stored: PixelFormat) throws {
        let path = directory.path("a.y4m")
        let recorder = try Y4MRecorder(path: path, rate: #require(FrameRate("29.97")))
        for number in 0..<3 as Range<UInt64> {
            let frame = try pattern(number, format)
            #expect(recorder.accepts(frame))
            try recorder.write(frame)
        }
        recorder.close()
        #expect(recorder.frameCount == 3)
        var source = try RawFileSource(path: path, options: .fast)
        #expect(source.frameRate == FrameRate("29.97"))
        let (frames, error) = drain(&source)
        #expect(error == nil)
        for (number, frame) in frames.enumerated() {
            #expect(TestPattern.frameNumber(in: frame) == UInt64(number))
            #expect(frame.array == (try pattern(UInt64(number), stored).array))
        }
        #expect(frames.count == 3)
    }

    @Test func `line padding, and frames of 1x1`() throws {
        let path = directory.path("a.y4m")
        let recorder = try Y4MRecorder(path: path)
        try recorder.write(pattern(3, .i420, strides: [200, 96, 81]))
        var source = try RawFileSource(path: path, options: .fast)
        #expect(drain(&source).frames.map(\.array) == [try pattern(3, .i420).array])
        for format in [PixelFormat.i420, .yuyv, .nv12, .i444, .gray8] {
            let small = directory.path("\(format).y4m")
            try Y4MRecorder(path: small).write(pattern(0, format, width: 1, height: 1))
            var source = try RawFileSource(path: small, options: .fast)
            #expect(drain(&source).frames.count == 1)
        }
    }

    @Test func `a frame expanded for JPEG returns to limited range, exactly rounded`() throws {
        let path = directory.path("a.y4m")
        let layout = try FrameFormat(width: 256, height: 1, pixelFormat: .i444, colorRange: .full)
        let ramp = (0...255).map { UInt8($0) }
        try Y4MRecorder(path: path).write(makeFrame(ramp + ramp + ramp, layout, source: .limited))
        var source = try RawFileSource(path: path, options: .fast)
        #expect(source.format?.colorRange == .limited)
        let bytes = try #require(drain(&source).frames.first).array
        for value in 0...255 {
            #expect(Int(bytes[value]) == Int((16 + Double(value) * 219 / 255).rounded()))
            #expect(Int(bytes[256 + value]) == Int((128 + Double(value - 128) * 224 / 255).rounded()))
            #expect(bytes[512 + value] == bytes[256 + value])
        }
    }

    @Test func `a full-range source stays full, and the header states it`() throws {
        let path = directory.path("a.y4m")
        let frame = try pattern(9, .i420, range: .full)
        try Y4MRecorder(path: path).write(frame)
        var source = try RawFileSource(path: path, options: .fast)
        #expect(source.format?.colorRange == .full)
        #expect(drain(&source).frames.map(\.array) == [frame.array])
    }

    @Test func `the matrix is read back, and another one is refused`() throws {
        func picture(_ format: PixelFormat, _ matrix: ColorMatrix) throws -> Frame {
            let layout = try FrameFormat(width: 4, height: 2, pixelFormat: format, colorMatrix: matrix)
            return try makeFrame(noise(layout.byteCount), layout)
        }
        let path = directory.path("a.y4m")
        let recorder = try Y4MRecorder(path: path)
        try recorder.write(picture(.i422, .bt709))
        for other in [ColorMatrix.unspecified, .bt601, .bt2020] {
            #expect(!recorder.accepts(try picture(.i422, other)))
            let error = try failure { try recorder.write(picture(.i422, other)) }
            #expect(error.code == .unsupported && error.message.contains("bt709"))
        }
        try recorder.write(picture(.yuyv, .bt709))
        recorder.close()
        var source = try RawFileSource(path: path, options: .fast)
        #expect(source.format?.colorMatrix == .bt709)
        #expect(drain(&source).frames.map(\.format.colorMatrix) == [.bt709, .bt709])
        // An unspecified matrix is taken for BT.601.
        let plain = try Y4MRecorder(path: directory.path("b.y4m"))
        try plain.write(picture(.i420, .unspecified))
        #expect(plain.accepts(try picture(.i420, .bt601)))
        #expect(!plain.accepts(try picture(.i420, .bt2020)))
        let gray = try Y4MRecorder(path: directory.path("c.y4m"))
        try gray.write(picture(.gray8, .bt709))
        #expect(gray.accepts(try picture(.gray8, .bt2020)))
    }

    @Test func `a change of format is refused, and the recording continues`() throws {
        let path = directory.path("a.y4m")
        let recorder = try Y4MRecorder(path: path)
        try recorder.write(pattern(0, .i420))
        let others = try [
            pattern(1, .i420, width: 160), pattern(1, .i422), pattern(1, .i420, range: .full), pattern(1, .rgb24),
            makeFrame(fakeJPEG(tag: 1), FrameFormat(width: 161, height: 67, pixelFormat: .jpeg)),
        ]
        for other in others {
            #expect(!recorder.accepts(other))
            #expect(try failure { try recorder.write(other) }.code == .unsupported)
        }
        // Another layout of the same samples gives the same file.
        #expect(recorder.accepts(try pattern(1, .nv12)))
        try recorder.write(pattern(1, .nv12))
        recorder.close()
        recorder.close()
        #expect(try failure { try recorder.write(pattern(2, .i420)) }.code == .closed)
        var source = try RawFileSource(path: path, options: .fast)
        #expect(drain(&source).frames.compactMap(TestPattern.frameNumber) == [0, 1])
    }

    @Test func `after a kill at any byte the complete frames before can be read`() throws {
        let path = directory.path("a.y4m")
        let recorder = try Y4MRecorder(path: path)
        let layout = try FrameFormat(width: 5, height: 3, pixelFormat: .i420)
        var lengths: [Int] = []
        for seed in 0..<3 {
            try recorder.write(makeFrame(noise(27, seed: seed), layout))
            lengths.append(try contents(path).count)
        }
        let bytes = try contents(path)
        let header = lengths[0] - 33
        for cut in header + 1...bytes.count {
            var source = try RawFileSource(path: directory.file("cut", Array(bytes[..<cut])), options: .fast)
            let (frames, error) = drain(&source)
            #expect(frames.map(\.array) == (0..<lengths.filter { $0 <= cut }.count).map { noise(27, seed: $0) })
            #expect((error == nil) == lengths.contains(cut))
        }
    }

    @Test func `the part of a frame that fitted a full disk is cut off`() throws {
        // A memory file that must not grow takes what fits and then fails, as a full disk does.
        // Glibc's module has neither the call nor the constants: MFD_ALLOW_SEALING, F_ADD_SEALS,
        // F_SEAL_GROW.
        let symbol = unsafe try #require(unsafe dlsym(nil, "memfd_create"))
        typealias MemoryFile = @convention(c) (UnsafePointer<CChar>, CUnsignedInt) -> CInt
        let raw = unsafe unsafeBitCast(symbol, to: MemoryFile.self)("full", 2)
        try #require(raw >= 0)
        let descriptor = Descriptor(raw)
        try descriptor.truncate(to: 4096 * 5)
        try #require(fcntl(raw, 1033, 4) == 0)
        let recorder = Y4MRecorder(descriptor, path: "full")
        let layout = try FrameFormat(width: 100, height: 80, pixelFormat: .gray8)
        try recorder.write(makeFrame(noise(8000), layout))
        try recorder.write(makeFrame(noise(8000, seed: 1), layout))
        let error = try failure { try recorder.write(makeFrame(noise(8000, seed: 2), layout)) }
        #expect(error.errno != nil)
        #expect(error.message.contains("last whole picture"))
        #expect(recorder.frameCount == 2)
        try descriptor.seek(to: 0)
        var source = try RawFileSource(descriptor, name: "full", options: .fast)
        let (frames, end) = drain(&source)
        #expect(end == nil)
        #expect(frames.map(\.array) == [noise(8000), noise(8000, seed: 1)])
    }

    @Test func `a full disk is an error with its errno, and the frame does not count`() throws {
        let recorder = try Y4MRecorder(path: "/dev/full")
        let error = try failure { try recorder.write(pattern(0, .i420)) }
        #expect(error.code == .system)
        #expect(error.errno == ENOSPC)
        #expect(recorder.frameCount == 0)
    }

    @Test func `a replaced file is emptied, and a file that cannot be created is refused`() throws {
        let path = try directory.file("a.y4m", noise(100_000))
        try Y4MRecorder(path: path, options: RecordingOptions(existing: .replace)).write(pattern(0, .gray8))
        var source = try RawFileSource(path: path, options: .fast)
        #expect(drain(&source).frames.count == 1)
        #expect(drain(&source).error == nil)
        #expect(try failure { _ = try Y4MRecorder(path: directory.path("none/a.y4m")) }.code == .notFound)
        #expect(try failure { _ = try Y4MRecorder(path: directory.path) }.errno == EISDIR)
    }

    @Test func `a reopened file has one header and every frame`() throws {
        let path = directory.path("a.y4m")
        let recorder = try Y4MRecorder(path: path)
        for number in 0..<6 as Range<UInt64> {
            // Two layouts, one of which is packed in the recorder's own memory.
            try recorder.write(pattern(number, number.isMultiple(of: 2) ? .i420 : .nv12))
            recorder.suspend()
            #expect(try openFiles(below: directory.path).isEmpty)
        }
        recorder.close()
        var source = try RawFileSource(path: path, options: .fast)
        let (frames, error) = drain(&source)
        #expect(error == nil && frames.compactMap(TestPattern.frameNumber) == [0, 1, 2, 3, 4, 5])
    }
}
