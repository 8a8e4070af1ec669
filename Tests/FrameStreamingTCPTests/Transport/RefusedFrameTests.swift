import FrameStreamingCore
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Frames that a connection does not carry. They end a stream with a goodbye that has the reason,
/// and not like a break.
@Suite(.ownThread(atOnce: 4)) struct RefusedFrameTests {
    /// A receiver that takes images of at most 1000 bytes.
    private static var limited: TCPRole {
        var receiving = TCPReceiverOptions()
        receiving.maximumFrameByteCount = 1000
        return .receiver(receiving)
    }

    private static func run(
        _ sender: FrameSender, _ frames: [Frame]
    ) throws -> Background<SenderSummary> {
        try Background {
            var source = ScriptedSource(frames)
            return try sender.run(&source)
        }
    }

    private static func isAccountedFor(_ total: SenderStatistics) -> Bool {
        total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost
    }

    @Test func aFrameBeyondTheReceiversLimitEndsTheStreamWithItsReason() throws {
        let (near, far) = try makePair(listening: Self.limited)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: far, decode: nil)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: near, options: SenderOptions(policy: .reliable))
        let running = try Self.run(
            sender, [makeFrame(1, byteCount: 1000), makeFrame(2, byteCount: 1001), makeFrame(3)])
        #expect(try receiver.next(until: soon())?.frame.sequence == 1)
        let told = #expect(throws: FrameStreamingError.self) { try receiver.next(until: soon()) }
        #expect(told?.code == .peerFailed, "\(told as Any)")
        for word in ["1001", "at most 1000", "TCPReceiverOptions"] {
            #expect(told?.message.contains(word) == true, "\(told as Any)")
        }
        let error = running.error()
        #expect(error?.code == .limitExceeded && error?.message.contains("1001") == true, "\(error as Any)")
        let total = sender.summary.total
        #expect(total.acknowledged == 1 && total.failed == 1 && total.lost == 0 && Self.isAccountedFor(total))
    }

    /// One receiver's limit does not concern the others.
    @Test func theOtherReceiversGoOn() throws {
        let links = try [makePair(listening: Self.limited), makePair()]
        let receivers = try links.map { link in
            try FrameReceiver(codec: IdentityCodec(), transport: link.listening, decode: nil)
        }
        let sender = try FrameSender(
            codec: IdentityCodec(), transports: links.map(\.connecting), options: SenderOptions(policy: .reliable))
        let running = try Self.run(sender, (1...3).map { try makeFrame($0, byteCount: $0 == 2 ? 5000 : 500) })
        let refused = try Background {
            while try receivers[0].next(until: soon()) != nil {}
        }
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(try receivers[1].next(until: soon())?.frame.sequence == number)
        }
        #expect(try receivers[1].next(until: soon()) == nil)
        #expect(refused.error()?.code == .peerFailed)
        let summary = try running.value()
        #expect(summary.receivers.map { $0.failure?.code } == [.limitExceeded, nil])
        #expect(summary.receivers.map(\.statistics.acknowledged) == [1, 3])
        #expect(Self.isAccountedFor(summary.total))
    }

    /// Decodes gray only, and says so.
    private struct GrayCodec: FrameCodec {
        let decodableFormats: [PixelFormat] = [.gray8]

        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }
        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
    }

    @Test func aReceiversRoleNamesTheFormatsOfItsCodec() throws {
        var receiving = TCPReceiverOptions()
        receiving.creditAhead = 3
        receiving.pixelFormats = [.jpeg]
        let (near, far) = try makePair(listening: .receiver(for: GrayCodec(), receiving))
        #expect(near.peer.pixelFormats == [.gray8] && near.peer.initialCredit == 3)
        // A codec that names no format takes any.
        #expect(try makePair(listening: .receiver(for: IdentityCodec())).connecting.peer.pixelFormats.isEmpty)
        // So nothing is sent that the codec does not decode.
        let receiver = try FrameReceiver(codec: GrayCodec(), transport: far)
        let sender = try FrameSender(codec: IdentityCodec(), transport: near)
        let running = try Self.run(sender, [makeFrame(1)])
        let told = #expect(throws: FrameStreamingError.self) { try receiver.next(until: soon()) }
        #expect(told?.code == .unsupported && running.error()?.code == .unsupported)
        #expect(sender.summary.total.sent == 0)
    }

    /// The limit holds for the bytes that are sent, without the padding of the frame's lines.
    @Test func aFrameIsMeasuredAsItIsSent() throws {
        let (near, far) = try makePair(listening: Self.limited)
        func gray(_ height: Int) throws -> Frame {
            try makeFrame(1, width: 20, height: height, pixelFormat: .gray8, strides: [64])
        }
        let large = try gray(51)
        #expect(code { try near.send(.frame(large, FrameInfo(sequence: 1)), until: soon()) } == .limitExceeded)
        // The connection still works.
        try near.send(.frame(gray(50), FrameInfo(sequence: 1)), until: soon())
        #expect(try far.receiveFrame().0.byteCount == 1000)
    }

    @Test func tooMuchMetadataIsRefusedWhenTheFrameIsOffered() throws {
        let (near, far) = try makePair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: far, decode: nil)
        let sender = try FrameSender(codec: IdentityCodec(), transport: near)
        var frame = try makeFrame(1)
        frame.metadata = [UInt8](repeating: 7, count: Frame.maximumMetadataByteCount + 1)
        let error = #expect(throws: FrameStreamingError.self) { try sender.trySend(frame) }
        #expect(error?.code == .invalidArgument && error?.message.contains("65537") == true, "\(error as Any)")
        // Nothing was taken, and the stream goes on.
        #expect(sender.summary.total.produced == 0)
        frame.metadata.removeLast()
        #expect(try sender.trySend(frame) == .sent)
        #expect(try receiver.next(until: soon())?.frame.metadata == frame.metadata)
        let end = try Background { try receiver.next(until: soon()) == nil }
        try sender.finish()
        #expect(try end.value())
    }

    @Test func aSourceWithTooMuchMetadataFails() throws {
        let (near, far) = try makePair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: far, decode: nil)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: near, options: SenderOptions(policy: .reliable))
        var large = try makeFrame(2)
        large.metadata = [UInt8](repeating: 7, count: 70_000)
        let running = try Self.run(sender, [makeFrame(1), large])
        #expect(try receiver.next(until: soon())?.frame.sequence == 1)
        let told = #expect(throws: FrameStreamingError.self) { try receiver.next(until: soon()) }
        #expect(told?.code == .peerFailed && told?.message.contains("70000") == true, "\(told as Any)")
        #expect(running.error()?.code == .invalidArgument)
        #expect(Self.isAccountedFor(sender.summary.total) && sender.summary.total.acknowledged == 1)
    }
}
