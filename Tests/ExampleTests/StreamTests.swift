import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import Foundation
import Testing

extension ExampleTests {
    @Suite struct Streams {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        private func numbers(_ pictures: [[UInt8]], _ format: FrameFormat) throws -> [UInt64?] {
            let pool = FramePool(capacity: 1)
            return try pictures.map { bytes in
                var buffer = pool.buffer(byteCount: format.byteCount)
                unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
                let frame = try buffer.makeFrame(format: format, captureTime: nil, sequence: 0)
                return TestPattern.frameNumber(in: frame)
            }
        }

        @Test(arguments: ["binary", "text"]) func thePatternArrivesInOrder(handshake: String) throws {
            let file = workspace.file("out.y4m")
            let ended = try stream(
                pattern(12) + ["--handshake", handshake], ["--record", file, "--record-rate", "30000/1001"])
            try ended.expectAllArrived(12)
            let recording = try Recording(file)
            #expect(recording.header.contains(" F30000:1001 "), "\(recording.header)")
            let format = try #require(recording.format)
            #expect(format.width == 160 && format.height == 120)
            #expect(try numbers(recording.pictures, format) == (0..<12).map { $0 })
        }

        static let layouts: [(PixelFormat, String, String)] = [
            (.i420, "4:2:0", "C420jpeg"), (.i422, "4:2:2", "C422"), (.i444, "4:4:4", "C444"),
            (.gray8, "gray", "Cmono"),
        ]

        @Test(arguments: layouts, [ColorRange.limited, .full])
        func aY4MFileComesBackAsItWas(layout: (PixelFormat, String, String), range: ColorRange) throws {
            // Odd, so that the planes' edges matter.
            let clip = Clip(67, 49, format: layout.0, range: range)
            let input = try workspace.write(clip.y4m, to: "in.y4m")
            let output = workspace.file("out.y4m")
            var arguments = ["--input", input, "--pace", "max", "--quality", "90"]
            if layout.0 != .gray8 { arguments += ["--subsampling", layout.1] }
            let ended = try stream(arguments, ["--record", output])
            try ended.expectAllArrived(clip.frames.count)
            let recording = try Recording(output)
            #expect(recording.header.contains(" F30:1 "), "\(recording.header)")
            #expect(recording.header.contains(" \(layout.2) "), "\(recording.header)")
            #expect(
                recording.header.contains("XCOLORRANGE=\(range == .full ? "FULL" : "LIMITED")"),
                "\(recording.header)")
            #expect(recording.pictures.count == clip.frames.count)
            #expect(recording.pictures.allSatisfy { $0.count == clip.frames[0].count })
            #expect(clip.difference(to: recording.pictures) == nil)
        }

        @Test func theGivenRangeCounts() throws {
            let clip = Clip(range: .full)
            let input = try workspace.write(clip.raw, to: "in.yuv")
            let output = workspace.file("out.y4m")
            let ended = try stream(
                ["--input", input, "--size", "64x48", "--format", "I420", "--range", "full", "--pace", "max"],
                ["--record", output])
            try ended.expectAllArrived(clip.frames.count)
            let recording = try Recording(output)
            #expect(recording.header.contains("XCOLORRANGE=FULL"))
            #expect(clip.difference(to: recording.pictures) == nil)
        }

        @Test func chromaIsHalvedUnlessAskedOtherwise() throws {
            let input = try workspace.write(Clip(format: .i444).y4m, to: "in.y4m")
            let output = workspace.file("out.y4m")
            try stream(["--input", input, "--pace", "max"], ["--record", output]).expectAllArrived(6)
            #expect(try Recording(output).header.contains("C420jpeg"))
        }

        @Test(arguments: ["bgr", "i420", "none"]) func framesArriveHoweverTheyAreDecoded(decode: String) throws {
            try stream(pattern(4), ["--decode", decode]).expectAllArrived(4)
        }

        @Test func anMJPEGRecordingIsWhatWasSentAndCanBeSentAgain() throws {
            let clip = Clip()
            let input = try workspace.write(clip.y4m, to: "in.y4m")
            let first = workspace.file("first.mjpg")
            try stream(["--input", input, "--pace", "max"], ["--record", first]).expectAllArrived(6)
            // Compressed pictures pass untouched: byte for byte the same file on the other side.
            let second = workspace.file("second.mjpg")
            try stream(["--input", first, "--pace", "max"], ["--record", second]).expectAllArrived(6)
            #expect(try workspace.read("first.mjpg") == workspace.read("second.mjpg"))
        }

        @Test func aDirectoryGetsAFileForEachFrame() throws {
            let clip = Clip()
            let input = try workspace.write(clip.y4m, to: "in.y4m")
            try stream(["--input", input, "--pace", "max"], ["--record", workspace.file("pictures/")])
                .expectAllArrived(6)
            let names = try workspace.names(in: "pictures")
            #expect(names.count == 6)
            for (index, name) in names.enumerated() {
                let picture = try luma(try workspace.read("pictures/" + name))
                #expect(clip.difference(to: [picture], from: index) == nil)
            }
        }

        /// The luma of a JPEG, back in limited range by hand.
        private func luma(_ jpeg: [UInt8]) throws -> [UInt8] {
            let frame = try JPEGCodec().decode(
                try Frame(jpeg: jpeg), DecodeSettings(pixelFormat: .gray8))
            return Clip.limited(unsafe frame.withUnsafeBytes { unsafe Array($0) })
        }

        @Test func eachSenderAndEachFormatGetsARecordingOfItsOwn() throws {
            let output = workspace.file("out.y4m")
            let (receiver, port) = try receiver(["--record", output])
            let clips = [Clip(), Clip(80, 40, range: .full)]
            for (index, clip) in clips.enumerated() {
                let input = try workspace.write(clip.y4m, to: "in\(index).y4m")
                let sender = try sender(to: port, ["--input", input, "--pace", "max"])
                #expect(try sender.finish() == .exit(0))
            }
            // Two sizes in one stream: MJPEG has no header that forbids it.
            let codec = JPEGCodec()
            var both: [UInt8] = []
            for clip in clips { both += try clip.jpeg(0, codec) + clip.jpeg(1, codec) }
            let mixed = try workspace.write(both, to: "mixed.mjpg")
            let last = try sender(to: port, ["--input", mixed, "--pace", "max"])
            #expect(try last.finish() == .exit(0), "\(last.complaints)")
            receiver.signal(SIGTERM)
            #expect(try receiver.finish() == .exit(0))
            #expect(clips[0].difference(to: try Recording(output).pictures) == nil)
            #expect(clips[1].difference(to: try Recording(workspace.file("out-2.y4m")).pictures) == nil)
            let sizes = try (3...4).map { try Recording(workspace.file("out-\($0).y4m")) }
            #expect(sizes.map(\.pictures.count) == [2, 2])
            #expect(sizes.map(\.format?.width) == [64, 80])
            #expect(!workspace.exists("out-5.y4m"))
            #expect(try receiver.total().int("frames") == 16)
            #expect(try receiver.connections().count == 3)
        }

        @Test func sendersAtOnceGetARecordingEach() throws {
            let clip = Clip(frames: 8)
            let input = try workspace.write(clip.y4m, to: "in.y4m")
            let (receiver, port) = try receiver(["--record", workspace.file("out.y4m")])
            let senders = try (1...4).map {
                try sender(to: port, ["--input", input, "--pace", "max", "--stream", "stream \($0)"])
            }
            for sender in senders { #expect(try sender.finish() == .exit(0), "\(sender.complaints)") }
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
            for name in ["out.y4m", "out-2.y4m", "out-3.y4m", "out-4.y4m"] {
                let pictures = try Recording(workspace.file(name)).pictures
                #expect(pictures.count == 8 && clip.difference(to: pictures) == nil, "\(name)")
            }
            #expect(
                Set(try receiver.connections().map { $0.string("stream") }) == Set((1...4).map { "stream \($0)" }))
        }

        @Test func anUnnamedStreamIsCalledAfterItsMachine() throws {
            let name = try String(contentsOfFile: "/proc/sys/kernel/hostname", encoding: .utf8)
                .trimmingCharacters(in: .newlines)
            let cases: [([String], String?)] = [([], name), (["--stream", ""], nil), (["--stream", "door"], "door")]
            for (arguments, expected) in cases {
                let ended = try stream(pattern(2) + arguments)
                try ended.expectAllArrived(2)
                let connection = try #require(try ended.receiver.connections().first)
                #expect(connection.string("stream") == expected)
            }
        }

        @Test(arguments: ["binary", "text"]) func theSenderMayListen(handshake: String) throws {
            let clip = Clip()
            let input = try workspace.write(clip.y4m, to: "in.y4m")
            let output = workspace.file("out.y4m")
            let sender = try Program(
                "frame-send",
                ["--listen", "127.0.0.1:0", "--input", input, "--pace", "max", "--json", "--handshake", handshake])
            let receiver = try Program(
                "frame-receive",
                ["--from", "127.0.0.1:\(sender.port())", "--json", "--record", output, "--handshake", handshake])
            let ended = Ended(
                sender: sender, receiver: receiver, senderEnd: try sender.finish(), receiverEnd: try receiver.finish())
            try ended.expectAllArrived(6)
            #expect(clip.difference(to: try Recording(output)) == nil)
            #expect(try receiver.lines.allSatisfy { !$0.keys.contains("port") })
            #expect(try receiver.total().string("end") == (handshake == "text" ? "over" : "bye"))
        }

        @Test func aReceiverThatHasEnoughEndsBoth() throws {
            let (receiver, port) = try receiver(["--frames", "3"])
            let sender = try sender(to: port, ["--pattern", "--size", "64x48", "--no-reconnect"])
            #expect(try receiver.finish() == .exit(0))
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.total().int("frames") == 3)
            let total = try sender.total()
            #expect(total.string("end") == "bye")
            #expect(try total.int("produced") == total.accounted())
            #expect(try total.int("acknowledged") >= 3)
        }

        @Test func aReceiverServesOneSenderAfterAnother() throws {
            let (receiver, port) = try receiver()
            for handshake in ["binary", "text", "binary"] {
                let sender = try sender(to: port, pattern(3) + ["--handshake", handshake])
                #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            }
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
            #expect(try receiver.connections().map { $0.string("handshake") } == ["binary", "text", "binary"])
            #expect(try receiver.total().int("frames") == 9)
        }
    }
}

extension Frame {
    /// A JPEG file's bytes as a frame.
    init(jpeg: [UInt8]) throws {
        let workspace = try Workspace()
        var options = PlaybackOptions()
        options.pace = .maximum
        let source = try EncodedFileSource(path: try workspace.write(jpeg, to: "picture.jpg"), options: options)
        guard case .frame(let frame)? = try source.next(until: .never) else { throw Surprise("no picture") }
        self = frame
    }
}

extension Clip {
    /// A frame as a JPEG file.
    func jpeg(_ number: Int, _ codec: JPEGCodec) throws -> [UInt8] {
        let shape = try FrameFormat(width: width, height: height, pixelFormat: format, colorRange: range)
        var buffer = FramePool(capacity: 1).buffer(byteCount: shape.byteCount)
        unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: frames[number]) }
        let frame = try buffer.makeFrame(format: shape, captureTime: nil, sequence: 0)
        let encoded = try codec.encode(frame, EncodeSettings(quality: 90))
        return unsafe encoded.withUnsafeBytes { unsafe Array($0) }
    }
}
