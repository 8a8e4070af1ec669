import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingSystem
import TestThreads
import Testing

@Suite(.ownThread(atOnce: 4)) struct EncodedFileSourceTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private let pictures = (0..<4).map { fakeJPEG(width: 17 + $0, tag: UInt8($0 + 1)) }

    @Test func `returns each frame unchanged`() throws {
        var source = try EncodedFileSource(
            path: directory.file("a.mjpg", pictures.flatMap { $0 }), options: .init(rate: FrameRate(5), pace: .maximum))
        #expect(!source.isLive)
        #expect(source.frameRate == FrameRate(5))
        let (frames, error) = drain(&source)
        #expect(error == nil)
        #expect(frames.map(\.array) == pictures)
        #expect(frames.map(\.format.width) == [17, 18, 19, 20])
        #expect(frames.allSatisfy { $0.format.height == 13 && $0.format.pixelFormat == .jpeg })
        #expect(frames.map(\.sequence) == [0, 1, 2, 3])
        #expect(try source.next(until: .now) == nil)
    }

    @Test func `skips bytes between and behind frames`() throws {
        let junk: [UInt8] = [0, 0, 0xFF, 0xD9, 0xFF, 0xFF, 1, 0xFF]
        let bytes = junk + pictures.flatMap { $0 + junk }
        var source = try EncodedFileSource(path: directory.file("a.mjpg", bytes), options: .fast)
        let (frames, error) = drain(&source)
        #expect(error == nil)
        #expect(frames.map(\.array) == pictures)
    }

    @Test func `a pipe cut at any byte gives the complete frames, and counts the cut one`() throws {
        let bytes = pictures.flatMap { $0 }
        var ends: [Int] = []
        for picture in pictures { ends.append((ends.last ?? 0) + picture.count) }
        for cut in 0...bytes.count {
            let pipe = try Pipe()
            try pipe.write(Array(bytes[..<cut]))
            pipe.close()
            var source = try EncodedFileSource(pipe.output, name: "pipe", options: .fast)
            let (frames, error) = drain(&source)
            // Without its EOI, or half of it, a frame is complete nevertheless.
            let whole = ends.filter { $0 - 2 <= cut }.count
            #expect(frames.map(\.array) == Array(pictures[..<whole]))
            // A lone FF behind a frame is padding, and a lone FF without one is no frame.
            let isWhole = ends.contains { cut >= $0 - 2 && cut <= $0 + 1 }
            switch cut {
            case 0: #expect(error?.code == .truncatedInput)
            case 1: #expect(error?.code == .malformedInput)
            // Nothing but a cut frame is an error.
            default: #expect(error?.code == (whole > 0 ? nil : .truncatedInput), "cut at \(cut)")
            }
            #expect(drain(&source).error == error)
            #expect(source.damagedFrameCount == (isWhole || cut < 2 ? 0 : 1), "cut at \(cut)")
        }
    }

    @Test func `bytes that come one at a time between deadlines are all kept`() throws {
        let pipe = try Pipe()
        let source = try EncodedFileSource(pipe.output, name: "pipe", options: .fast)
        var got: [[UInt8]] = []
        for byte in pictures.flatMap({ $0 }) {
            #expect(try failure { _ = try source.next(until: .now) }.code == .timedOut)
            try pipe.write([byte])
            if let event = try? source.next(until: .now), case .frame(let frame) = event { got.append(frame.array) }
        }
        #expect(got == pictures)
        pipe.close()
        #expect(try source.next(until: .now) == nil)
    }

    @Test func `reads frames larger than its chunks`() throws {
        let large = (0..<3).map { index -> [UInt8] in
            let picture = fakeJPEG(tag: UInt8(index))
            return picture.dropLast(2) + noise(700_000, seed: index).map { $0 == 0xFF ? 1 : $0 } + [0xFF, 0xD9]
        }
        var source = try EncodedFileSource(path: directory.file("a.mjpg", large.flatMap { $0 }), options: .fast)
        let (frames, error) = drain(&source)
        #expect(error == nil)
        #expect(frames.map(\.array) == large)
    }

    @Test func `loops with continuing numbers, and not over a pipe`() throws {
        var source = try EncodedFileSource(
            path: directory.file("a.mjpg", pictures.flatMap { $0 } + [0, 0]), options: .init(loop: true, pace: .maximum)
        )
        let (frames, error) = drain(&source, limit: 10)
        #expect(error == nil)
        #expect(frames.map(\.array) == (0..<10).map { pictures[$0 % 4] })
        #expect(frames.map(\.sequence) == Array(0..<10))
        let pipe = try Pipe()
        #expect(
            try failure { _ = try EncodedFileSource(pipe.output, name: "pipe", options: .init(loop: true)) }.code
                == .unsupported)
    }

    @Test func `realtime returns each frame when it is due`() throws {
        let clock = ScriptClock()
        var options = PlaybackOptions(rate: FrameRate(4))
        options.clock = clock
        let source = try EncodedFileSource(path: directory.file("a.mjpg", pictures.flatMap { $0 }), options: options)
        let start = clock.now
        #expect(try source.next(until: .never) != nil)
        let deadline = Deadline.at(start.advanced(by: .milliseconds(100)))
        #expect(try failure { _ = try source.next(until: deadline) }.code == .timedOut)
        #expect(clock.now.since(start) == .milliseconds(100))
        #expect(try source.next(until: .never) != nil)
        #expect(clock.now.since(start) == .milliseconds(250))
    }

    @Test func `a frame, or other bytes, beyond the limit are refused`() throws {
        var options = PlaybackOptions.fast
        options.maximumFrameByteCount = pictures[0].count - 1
        var source = try EncodedFileSource(path: directory.file("a.mjpg", pictures[0]), options: options)
        #expect(drain(&source).error?.code == .limitExceeded)
        options.maximumFrameByteCount = 1000
        let endless = [UInt8](repeating: 1, count: 600_000)
        var junk = try EncodedFileSource(path: directory.file("junk", endless), options: options)
        #expect(drain(&junk).error?.code == .malformedInput)
        var open = try EncodedFileSource(
            path: directory.file("open", pictures[0].dropLast(2) + endless), options: options)
        #expect(drain(&open).error?.code == .limitExceeded)
    }

    @Test func `refuses a file without frames`() throws {
        #expect(try failure { _ = try EncodedFileSource(path: directory.path("none")) }.code == .notFound)
        #expect(try failure { _ = try EncodedFileSource(path: directory.path) }.code == .invalidArgument)
        let empty = try directory.file("empty")
        #expect(try failure { _ = try EncodedFileSource(path: empty) }.code == .truncatedInput)
        var text = try EncodedFileSource(path: directory.file("text", Array("hello".utf8)), options: .fast)
        #expect(drain(&text).error?.code == .malformedInput)
    }
}
