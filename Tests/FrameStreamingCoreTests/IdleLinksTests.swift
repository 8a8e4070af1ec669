import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingCore

/// A link whose receiver does not answer costs nothing at each frame. Its figures are the same as
/// if each frame had been offered to it.
@Suite(.ownThread(atOnce: 4)) struct IdleLinksTests {
    /// A sender that runs, with one receiver that takes everything and others that say nothing.
    struct Running {
        let sender: FrameSender
        let codec = CountingCodec()
        let idle: [(sender: MemoryTransport, receiver: MemoryTransport)]
        let healthy: FrameSenderTests.Collector
        let run: Background<Void>

        init(idle count: Int, creditAhead: UInt64) throws {
            var options = SenderOptions(policy: .latest, window: 2)
            options.waitsForReceivers = true
            let sender = try FrameSender(codec: codec, options: options)
            self.sender = sender
            // The idle receivers come first.
            idle = (0..<count).map { _ in MemoryTransport.pair(creditAhead: creditAhead) }
            for link in idle { try sender.add(link.sender) }
            let link = MemoryTransport.pair()
            try sender.add(link.sender)
            healthy = try FrameSenderTests.Collector(link.receiver)
            let format = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8)
            run = try Background("the sender") {
                var source = EndlessSource(format: format)
                do throws(FrameStreamingError) {
                    try sender.run(&source)
                } catch {
                    #expect(error.code == .cancelled)
                }
            }
        }

        func end() throws {
            sender.stop()
            try run.value()
            try healthy.waitForEnd()
        }
    }

    static func isAccountedFor(_ counts: SenderStatistics) -> Bool {
        counts.produced == counts.acknowledged + counts.dropped.total + counts.failed + counts.lost
    }

    @Test(arguments: [0, 1, 16]) func onesThatSayNothingAreNotOfferedEachFrame(creditAhead: UInt64) throws {
        let running = try Running(idle: 50, creditAhead: creditAhead)
        try waitUntil { running.sender.idle.count == 50 }
        let before = running.healthy.received.withLock { $0.count }
        try waitUntil { running.healthy.received.withLock { $0.count } >= before + 50 }
        // Links keep resting while the figures are read, and the figures count every frame.
        let figures = running.sender.summary.receivers.map(\.statistics)
        #expect(running.sender.idle.count == 50)
        let healthy = try #require(figures.last)
        for counts in figures.dropLast() {
            // The newest frame waits in one place for all of them,
            // and does not count as theirs yet.
            #expect(counts.produced >= before + 49 && counts.produced <= healthy.produced)
            let underWay = counts.sent - counts.acknowledged
            #expect(counts.produced == counts.dropped.replaced + underWay)
        }
        try running.end()
        let ended = running.sender.summary.receivers
        #expect(ended.count == 51 && running.sender.idle.count == 0)
        for connection in ended {
            #expect(Self.isAccountedFor(connection.statistics))
            // All were connected from the first frame to the last.
            #expect(connection.statistics.produced == ended.last?.statistics.produced)
        }
        // A frame that only idle links wait for is not encoded.
        let sent = ended.map(\.statistics.sent)
        #expect(running.codec.encoded.withLock { $0 } <= sent.reduce(0, +))
    }

    @Test func oneThatComesBackGetsTheNewestFrame() throws {
        let running = try Running(idle: 3, creditAhead: 1)
        try waitUntil { running.sender.idle.count == 3 }
        let before = running.healthy.numbers.last ?? 0
        try waitUntil { (running.healthy.numbers.last ?? 0) >= before + 20 }
        let newest = running.healthy.numbers.last ?? 0
        let woken = try FrameSenderTests.Collector(running.idle[1].receiver)
        try waitUntil { woken.received.withLock { $0.count } >= 40 }
        try waitUntil { running.sender.idle.count == 2 }
        try running.end()
        try woken.waitForEnd()
        let received = woken.received.withLock { $0 }
        // The first frame was in flight from the start; all frames between the two were skipped.
        #expect(received[1].frame.sequence >= newest)
        for (earlier, later) in zip(received, received.dropFirst()) {
            #expect(later.frame.sequence == earlier.frame.sequence + 1 + UInt64(later.info.skipped))
        }
        for connection in running.sender.summary.receivers { #expect(Self.isAccountedFor(connection.statistics)) }
    }

    @Test func onesThatLeaveOrAreCancelledAreAccountedFor() throws {
        let running = try Running(idle: 4, creditAhead: 1)
        try waitUntil { running.sender.idle.count == 4 }
        running.idle[0].receiver.close()
        try waitUntil { running.sender.idle.count == 3 }
        running.sender.cancel()
        try running.healthy.waitForEnd()
        try running.run.value()
        #expect(running.sender.idle.count == 0)
        for connection in running.sender.summary.receivers { #expect(Self.isAccountedFor(connection.statistics)) }
    }
}
