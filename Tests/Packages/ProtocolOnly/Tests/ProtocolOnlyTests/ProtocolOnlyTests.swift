import Foundation
import FrameStreamingCore
import FrameStreamingTCP
import FrameStreamingTesting
import Testing

/// What a user's own tests of the protocol look like.
@Suite struct ProtocolOnlyTests {
    static func frames(_ count: Int) throws -> [Frame] {
        let format = try FrameFormat(width: 17, height: 13, pixelFormat: .i420)
        return try (0..<count).map { number in
            try .filled(format, sequence: UInt64(number)) { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
        }
    }

    static func bytes(_ frame: Frame) -> [UInt8] {
        let samples = frame.samples
        return samples.indices.map { samples[$0] }
    }

    @Test(arguments: [Handshake.binary, .automatic]) func rawPicturesOverTCP(handshake: Handshake) throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: handshake)
        let address = listener.address
        let frames = try Self.frames(20)
        // A thread of its own: what blocks does not belong on the threads that run tasks and tests.
        Thread.detachNewThread {
            do {
                var source = ScriptedSource(frames)
                let transport = try TCPTransport.connect(to: address, role: .sender, until: .after(.seconds(60)))
                let sender = try FrameSender(
                    codec: IdentityCodec(), transport: transport, options: SenderOptions(policy: .reliable))
                #expect(try sender.run(&source).total.acknowledged == 20)
            } catch {
                Issue.record(error)
            }
        }
        let receiver = try FrameReceiver(
            codec: IdentityCodec(), transport: try listener.accept(until: .after(.seconds(60))))
        var received: [Frame] = []
        while let next = try receiver.next() { received.append(next.frame) }
        #expect(received.map(Self.bytes) == frames.map(Self.bytes))
    }

    @Test func inMemory() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let frame = try Self.frames(1)[0]
        try link.sender.send(.frame(frame, FrameInfo(sequence: 1)), until: .never)
        #expect(try receiver.next()?.frame.sharesBytes(with: frame) == true)
    }
}
