import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingCore

/// Frames that depend on those before them, through a relay. Wrong references give wrong pixels.
@Suite(.ownThread(atOnce: 2)) struct RelayedVideoTests {
    private static var soon: Deadline { .after(.seconds(30)) }

    private static func picture(_ number: UInt64) throws -> Frame {
        let format = try FrameFormat(width: 17, height: 13, pixelFormat: .gray8)
        return try Frame.filled(format, sequence: number) { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(number &* 31)) }
    }

    /// Takes the next frame, and compares it with the source's.
    private func next(_ receiver: FrameReceiver) throws -> ReceivedFrame {
        let received = try #require(try receiver.next(until: Self.soon))
        #expect(try received.frame.contents == Self.picture(received.frame.sequence).contents)
        return received
    }

    /// One that joins later needs a frame that stands alone, which the relay asks its sender for.
    @Test func aReceiverThatJoinsGetsAFrameThatStandsAlone() throws {
        let codec = DifferenceCodec()
        let relay = try FrameRelay()
        let up = MemoryTransport.pair()
        let sender = try FrameSender(codec: codec, transport: up.sender, options: SenderOptions(policy: .latest))
        try relay.addSender(up.receiver, stream: "front")
        let isOver = Monitor(false)
        let sending = try Background {
            var number: UInt64 = 0
            while !isOver.withLock({ $0 }) {
                // The next when the one before is acknowledged, so that frames depend on each other.
                if sender.hasCredit {
                    try sender.trySend(try Self.picture(number))
                    number += 1
                } else {
                    _ = isOver.wait(until: monotonicNow() + 1_000_000) { $0 ? true : nil } as Bool?
                }
            }
            return try sender.finish()
        }
        func join() throws -> FrameReceiver {
            let down = MemoryTransport.pair()
            let receiver = try FrameReceiver(codec: codec, transport: down.receiver)
            try relay.addReceiver(down.sender, stream: "front")
            return receiver
        }
        let first = try join()
        for _ in 0..<20 { _ = try next(first) }
        let second = try join()
        #expect(try !next(second).encoded.dependsOnPrevious)
        var depending = 0
        for _ in 0..<40 {
            for receiver in [first, second] where try next(receiver).encoded.dependsOnPrevious { depending += 1 }
        }
        #expect(depending > 0 && codec.statistics.keys >= 2)
        isOver.update { $0 = true }
        for receiver in [first, second] { while try receiver.next(until: Self.soon) != nil {} }
        #expect(try sending.value().total.failed == 0)
        #expect(first.statistics.decodeFailures == 0 && second.statistics.decodeFailures == 0)
        relay.close()
    }
}
