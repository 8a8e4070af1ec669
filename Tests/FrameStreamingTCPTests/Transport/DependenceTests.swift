import FrameStreamingCore
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Frames that depend on those before them, on the wire.
@Suite(.ownThread(atOnce: 4)) struct DependenceTests {
    @Test func theMarkArrivesForFormatsThatCanHaveIt() throws {
        let (sender, receiver) = try makePair()
        defer {
            sender.close()
            receiver.close()
        }
        let video = try FrameFormat(width: 1366, height: 768, pixelFormat: DifferenceCodec.format)
        let jpeg = try FrameFormat(width: 17, height: 13, pixelFormat: .jpeg)
        let raw = try FrameFormat(width: 17, height: 13, pixelFormat: .gray8)
        let cases: [(FrameFormat, Bool, Bool)] = [
            (video, false, false), (video, true, true), (jpeg, true, false), (raw, true, false), (video, true, true),
        ]
        for (index, (format, sent, expected)) in cases.enumerated() {
            var frame = try Frame.filled(format, byteCount: format.planeCount == 0 ? 99 : nil) { UInt8($0 & 0x7F) }
            frame.dependsOnPrevious = sent
            try sender.send(.frame(frame, FrameInfo(sequence: UInt64(index + 1))), until: soon())
            let (arrived, _) = try receiver.receiveFrame()
            #expect(arrived.dependsOnPrevious == expected, "\(format)")
            #expect(arrived.contents == frame.contents)
            try receiver.acknowledge(UInt64(index + 1))
        }
    }

    /// Over real sockets, with pictures dropped by a slow consumer.
    @Test func aCodecWithMemoryWorksOverTCP() throws {
        let codec = DifferenceCodec()
        let (outgoing, incoming) = try makePair()
        let format = try FrameFormat(width: 33, height: 17, pixelFormat: .i420)
        let frames = try (UInt64(0)..<500).map { number in
            try Frame.filled(format, sequence: number) { UInt8(truncatingIfNeeded: UInt64($0) &* 3 &+ number * number) }
        }
        let receiver = try FrameReceiver(codec: codec, transport: incoming)
        let receiving = try Background("the receiver") { () throws -> [ReceivedFrame] in
            var received: [ReceivedFrame] = []
            while let frame = try receiver.next() { received.append(frame) }
            return received
        }
        var source = ScriptedSource(frames, isLive: true)
        let total = try FrameSender(
            codec: codec, transport: outgoing, options: SenderOptions(policy: .latest)
        ).run(&source).total
        let received = try receiving.value()
        #expect(total.acknowledged == received.count && total.failed == 0)
        for frame in received {
            #expect(frame.frame.contents == frames[Int(frame.frame.sequence)].contents, "\(frame.frame.sequence)")
        }
    }
}
