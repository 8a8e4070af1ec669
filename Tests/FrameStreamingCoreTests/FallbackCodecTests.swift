import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// A sender of video whose receivers do not all take it.
@Suite(.ownThread(atOnce: 2)) struct FallbackCodecTests {
    /// Each byte inverted, and counted: a codec without memory.
    private final class PlainCodec: FrameCodec {
        static let format = PixelFormat(rawValue: 0x4E49_414C)
        let encoded = Monitor(0)

        var encodedFormats: [PixelFormat] { [Self.format] }
        var decodableFormats: [PixelFormat] { [Self.format] }

        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
            encoded.update { $0 += 1 }
            return try frame.inverted(as: Self.format)
        }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            try frame.inverted(as: .gray8)
        }
    }

    /// Receives with `codec` until the end, and returns the frames.
    private static func receive(
        _ transport: any Transport, _ codec: any FrameCodec
    ) throws -> Background<[ReceivedFrame]> {
        let receiver = try FrameReceiver(codec: codec, transport: transport)
        return try Background("a receiver") {
            var frames: [ReceivedFrame] = []
            while let frame = try receiver.next() { frames.append(frame) }
            return frames
        }
    }

    @Test func eachReceiverGetsWhatItTakes() throws {
        let (video, plain) = (DifferenceCodec(), PlainCodec())
        let usual = MemoryTransport.pair()
        let others = (0..<2).map { _ in MemoryTransport.pair(pixelFormats: [PlainCodec.format]) }
        var options = SenderOptions(policy: .reliable, window: .fixed(3))
        options.fallbackCodec = plain
        let sender = try FrameSender(
            codec: video, transports: [usual.sender] + others.map(\.sender), options: options)
        let first = try Self.receive(usual.receiver, video)
        let rest = try others.map { try Self.receive($0.receiver, PlainCodec()) }
        let pictures = try CodecMemoryTests.pictures(0..<40)
        var source = ScriptedSource(pictures)
        let total = try sender.run(&source).total
        #expect(total.acknowledged == 120 && total.failed == 0)
        for receiver in [first] + rest {
            let frames = try receiver.value()
            #expect(frames.map(\.frame.contents) == pictures.map(\.contents))
        }
        #expect(try first.value().allSatisfy { $0.encoded.format.pixelFormat == DifferenceCodec.format })
        for receiver in rest {
            #expect(try receiver.value().allSatisfy { $0.encoded.format.pixelFormat == PlainCodec.format })
        }
        // Once for both, and the video once.
        #expect(plain.encoded.withLock { $0 } == 40 && video.statistics.encoded == 40)
    }

    /// The next connection's receiver may take something else.
    @Test func theNextConnectionDecidesAnew() throws {
        let (video, plain) = (DifferenceCodec(), PlainCodec())
        let links = [
            MemoryTransport.pair(pixelFormats: [PlainCodec.format]), MemoryTransport.pair(),
        ]
        let provider = ReconnectingSenderTests.ScriptedProvider(links.map { .success($0.sender) })
        var options = SenderOptions(policy: .reliable, window: .fixed(4))
        options.fallbackCodec = plain
        let sender = try FrameSender(codec: video, provider: provider, options: options)
        let pictures = try CodecMemoryTests.pictures(0..<20)
        let sending = try Background("the sender") { () throws -> SenderSummary in
            var source = ScriptedSource(pictures)
            return try sender.run(&source)
        }
        for _ in 0..<3 {
            guard case .frame(let frame, _)? = try links[0].receiver.receive(until: .after(.seconds(60))) else {
                Issue.record("no frame")
                return
            }
            #expect(frame.format.pixelFormat == PlainCodec.format && !frame.dependsOnPrevious)
        }
        links[0].receiver.cut()
        let frames = try Self.receive(links[1].receiver, video).value()
        #expect(try sending.value().total.acknowledged == 20)
        #expect(frames.map(\.frame.contents) == pictures.map(\.contents))
        #expect(frames.allSatisfy { $0.encoded.format.pixelFormat == DifferenceCodec.format })
    }

    /// What comes in the fallback's format is sent as it is.
    @Test func compressedPicturesPass() throws {
        let plain = PlainCodec()
        let link = MemoryTransport.pair(pixelFormats: [PlainCodec.format])
        var options = SenderOptions(policy: .reliable, window: .fixed(2))
        options.fallbackCodec = plain
        let pictures = try CodecMemoryTests.pictures(0..<8)
        let compressed = try pictures.map { try PlainCodec().encode($0, EncodeSettings()) }
        let sender = try FrameSender(
            codec: CombinedCodec(encoding: DifferenceCodec(), decoding: [PlainCodec()]), transport: link.sender,
            options: options)
        let receiver = try Self.receive(link.receiver, PlainCodec())
        var source = ScriptedSource(compressed)
        #expect(try sender.run(&source).total.acknowledged == 8)
        #expect(try receiver.value().map(\.frame.contents) == pictures.map(\.contents))
        #expect(plain.encoded.withLock { $0 } == 0)
    }

    @Test func aReceiverOfNeitherIsRefused() throws {
        let link = MemoryTransport.pair(pixelFormats: [PixelFormat(rawValue: 0x5858_5858)])
        var options = SenderOptions(policy: .reliable)
        options.fallbackCodec = PlainCodec()
        let sender = try FrameSender(codec: DifferenceCodec(), transport: link.sender, options: options)
        var source = ScriptedSource(try CodecMemoryTests.pictures(0..<3))
        do throws(FrameStreamingError) {
            _ = try sender.run(&source)
            Issue.record("it was sent something")
        } catch {
            #expect(error.code == .unsupported, "\(error)")
        }
    }

    @Test func twoCodecsThatCannotServeAreRefused() throws {
        var options = SenderOptions()
        options.fallbackCodec = DifferenceCodec()
        #expect(throws: FrameStreamingError.self) { _ = try FrameSender(codec: DifferenceCodec(), options: options) }
        options.fallbackCodec = PlainCodec()
        #expect(throws: FrameStreamingError.self) { _ = try FrameSender(codec: PlainCodec(), options: options) }
    }
}
