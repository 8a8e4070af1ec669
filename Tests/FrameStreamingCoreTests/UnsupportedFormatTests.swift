import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// Streams whose frames are in a format that the receiver cannot decode.
@Suite(.ownThread(atOnce: 4)) struct UnsupportedFormatTests {
    /// Decodes one format only. With `names` it says so in advance, else it fails to decode others.
    private struct Choosy: FrameCodec {
        var names: Bool
        var decodableFormats: [PixelFormat] { names ? [.gray8] : [] }

        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            guard frame.format.pixelFormat == .gray8 else {
                throw FrameStreamingError(.unsupported, "\(frame.format.pixelFormat) is not gray")
            }
            return frame
        }
    }

    private static func frames(_ formats: [PixelFormat]) throws -> [Frame] {
        try formats.enumerated().map { number, pixelFormat in
            try .filled(
                FrameFormat(width: 17, height: 13, pixelFormat: pixelFormat), sequence: UInt64(number),
                byteCount: pixelFormat == .jpeg ? 100 : nil
            ) { UInt8(truncatingIfNeeded: $0 &+ number) }
        }
    }

    private static func send(
        _ frames: [Frame], over transport: any Transport, _ options: SenderOptions = SenderOptions(policy: .reliable)
    ) throws -> (sender: FrameSender, running: Background<SenderSummary>) {
        let sender = try FrameSender(codec: IdentityCodec(), transport: transport, options: options)
        return (
            sender,
            try Background {
                var source = ScriptedSource(frames)
                return try sender.run(&source)
            }
        )
    }

    @Test(arguments: [true, false]) func aFirstFrameThatTheCodecDoesNotDecodeEndsBothSides(_ names: Bool) throws {
        let link = MemoryTransport.pair()
        let (sender, running) = try Self.send(Self.frames([.jpeg, .jpeg, .jpeg]), over: link.sender)
        let undecodable = Monitor(0)
        let receiver = try FrameReceiver(codec: Choosy(names: names), transport: link.receiver) { event in
            if case .undecodable = event { undecodable.update { $0 += 1 } }
        }
        let error = #expect(throws: FrameStreamingError.self) { try receiver.next(until: .after(.seconds(30))) }
        #expect(error?.code == .unsupported && error?.message.contains("JPEG") == true, "\(error as Any)")
        // It is the same each time.
        let again = #expect(throws: FrameStreamingError.self) { try receiver.next(until: .after(.seconds(30))) }
        #expect(again?.code == .unsupported)
        #expect(receiver.end == .error && undecodable.withLock { $0 } == 1)
        let told = running.error(as: FrameStreamingError.self)
        #expect(told?.code == .unsupported && told?.message.contains("JPEG") == true, "\(told as Any)")
        if names { #expect(told?.message.contains("GRAY8") == true) }
        let total = sender.summary.total
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
        #expect(sender.summary.receivers.first?.peer.goodbye?.code == .unsupported)
    }

    @Test(arguments: [true, false]) func oneInAGoodStreamIsCountedAndPassedOver(_ names: Bool) throws {
        let link = MemoryTransport.pair()
        let (_, running) = try Self.send(Self.frames([.gray8, .jpeg, .gray8]), over: link.sender)
        let receiver = try FrameReceiver(codec: Choosy(names: names), transport: link.receiver)
        var numbers: [UInt64] = []
        while let received = try receiver.next(until: .after(.seconds(30))) { numbers.append(received.frame.sequence) }
        #expect(numbers == [0, 2] && receiver.statistics.decodeFailures == 1)
        #expect(try running.value().total.failed == 1)
    }

    /// A kind of its format that the codec does not decode, such as a JPEG of 12 bits.
    private struct Particular: FrameCodec {
        let decodableFormats = [PixelFormat.gray8]

        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            guard frame.sequence > 1 else { throw FrameStreamingError(.unsupported, "a kind that nobody decodes") }
            return frame
        }
    }

    @Test func aFirstFrameOfAKnownFormatIsCountedAndPassedOver() throws {
        let link = MemoryTransport.pair()
        let (_, running) = try Self.send(Self.frames([.gray8, .gray8, .gray8]), over: link.sender)
        let receiver = try FrameReceiver(codec: Particular(), transport: link.receiver)
        var numbers: [UInt64] = []
        while let received = try receiver.next(until: .after(.seconds(30))) { numbers.append(received.frame.sequence) }
        #expect(numbers == [2] && receiver.statistics.decodeFailures == 2)
        #expect(try running.value().total.failed == 2)
    }

    @Test func framesThatAreNotDecodedMayHaveAnyFormat() throws {
        let link = MemoryTransport.pair()
        let (_, running) = try Self.send(Self.frames([.jpeg, .i420]), over: link.sender)
        let receiver = try FrameReceiver(codec: Choosy(names: true), transport: link.receiver, decode: nil)
        var formats: [PixelFormat] = []
        while let received = try receiver.next(until: .after(.seconds(30))) {
            formats.append(received.frame.format.pixelFormat)
        }
        #expect(formats == [.jpeg, .i420])
        #expect(try running.value().total.acknowledged == 2)
    }

    @Test func whatTheReceiverDoesNotTakeIsNotSent() throws {
        let link = MemoryTransport.pair(pixelFormats: [.gray8, .i420])
        let (sender, running) = try Self.send(Self.frames([.jpeg, .jpeg]), over: link.sender)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let told = #expect(throws: FrameStreamingError.self) { try receiver.next(until: .after(.seconds(30))) }
        #expect(told?.code == .unsupported, "\(told as Any)")
        let error = running.error(as: FrameStreamingError.self)
        #expect(error?.code == .unsupported)
        for name in ["JPEG", "GRAY8", "I420"] {
            #expect(error?.message.contains(name) == true && told?.message.contains(name) == true)
        }
        let total = sender.summary.total
        #expect(total.sent == 0 && receiver.statistics.frames == 0)
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
    }

    /// One of several receivers is no reason to end the others.
    @Test func theOthersGoOn() throws {
        let links = [MemoryTransport.pair(pixelFormats: [.jpeg]), MemoryTransport.pair(pixelFormats: [.gray8])]
        let receivers = try links.map { try FrameReceiver(codec: IdentityCodec(), transport: $0.receiver) }
        let sender = try FrameSender(
            codec: IdentityCodec(), transports: links.map(\.sender), options: SenderOptions(policy: .reliable))
        let frames = try Self.frames([.gray8, .gray8, .gray8])
        let running = try Background {
            var source = ScriptedSource(frames)
            return try sender.run(&source)
        }
        let refused = try Background { try receivers[0].next(until: .after(.seconds(30))) == nil }
        for number in 0..<3 as Range<UInt64> {
            let frame = try receivers[1].next(until: .after(.seconds(30)))?.frame
            #expect(frame?.sequence == number)
        }
        #expect(try receivers[1].next(until: .after(.seconds(30))) == nil)
        #expect(refused.error(as: FrameStreamingError.self)?.code == .unsupported)
        let summary = try running.value()
        #expect(summary.receivers.map { $0.failure?.code } == [.unsupported, nil])
        #expect(summary.receivers.map(\.statistics.acknowledged) == [0, 3])
    }

    /// A sender that would connect again does not: the next time is no better.
    @Test(arguments: [Reconnection.afterBreak, .always])
    func aSenderThatConnectsDoesNotTryAgain(_ reconnection: Reconnection) throws {
        let provider = OneAfterAnother([MemoryTransport.pair(), MemoryTransport.pair()])
        let receiver = try FrameReceiver(codec: Choosy(names: true), transport: provider.links[0].receiver)
        var options = SenderOptions(policy: .reliable)
        options.reconnection = reconnection
        let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
        let frames = try Self.frames([.jpeg])
        let running = try Background {
            var source = ScriptedSource(frames)
            return try sender.run(&source)
        }
        #expect(throws: FrameStreamingError.self) { try receiver.next(until: .after(.seconds(30))) }
        #expect(running.error(as: FrameStreamingError.self)?.code == .unsupported)
        #expect(provider.made.withLock { $0 } == 1)
    }

    private final class OneAfterAnother: TransportProvider {
        let links: [(sender: MemoryTransport, receiver: MemoryTransport)]
        let made = Monitor(0)
        let address = "memory"

        init(_ links: [(sender: MemoryTransport, receiver: MemoryTransport)]) { self.links = links }

        func nextTransport(until deadline: Deadline) throws(FrameStreamingError) -> any Transport {
            let number = made.withLock { made in
                defer { made += 1 }
                return made
            }
            guard number < links.count else { throw FrameStreamingError(.connectionFailed, "there are no more") }
            return links[number].sender
        }

        func cancel() {}
    }
}
