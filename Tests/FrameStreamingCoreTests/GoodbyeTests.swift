import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// How each side reacts to the other's goodbye.
@Suite(.ownThread(atOnce: 4)) struct GoodbyeTests {
    private typealias Link = (sender: MemoryTransport, receiver: MemoryTransport)

    /// Takes `count` frames on a thread of its own, then sends `goodbye`.
    /// Returns the numbers of the frames.
    private func take(_ count: Int, of link: Link, _ goodbye: Goodbye) throws -> (Background<Void>, Monitor<[UInt64]>) {
        let numbers = Monitor<[UInt64]>([])
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let thread = try Background("the consumer") {
            for _ in 0..<count {
                guard let received = try? receiver.next() else { break }
                numbers.withLock { $0.append(received.frame.sequence) }
            }
            receiver.close(goodbye)
        }
        return (thread, numbers)
    }

    private func run(
        _ links: [Link], frames: Int, _ reconnection: Reconnection = .afterBreak, policy: DeliveryPolicy = .reliable
    ) throws -> (summary: SenderSummary, failure: FrameStreamingError?) {
        var options = SenderOptions(policy: policy)
        options.reconnection = reconnection
        let provider = ReconnectingSenderTests.ScriptedProvider(links.map { .success($0.sender) })
        let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
        var source = ScriptedSource(try FrameSenderTests.frames(frames))
        do throws(FrameStreamingError) {
            return (try sender.run(&source), nil)
        } catch {
            return (sender.summary, error)
        }
    }

    private func isAccounted(_ total: SenderStatistics) -> Bool {
        total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost
    }

    @Test func aReceiverThatWasStoppedIsWaitedFor() throws {
        let links = [MemoryTransport.pair(), MemoryTransport.pair()]
        let (first, before) = try take(4, of: links[0], .stopped("restarted"))
        let (second, after) = try take(.max, of: links[1], .complete(""))
        let (summary, failure) = try run(links, frames: 30)
        try first.value()
        try second.value()
        #expect(failure == nil && summary.total.acknowledged == 30 && summary.total.lost == 0)
        #expect(before.withLock { $0 } + after.withLock { $0 } == Array(0..<30))
        #expect(isAccounted(summary.total))
    }

    @Test(arguments: [Goodbye.complete("enough"), .failed("disk full")])
    func oneThatWantsNoMoreOrFailedIsNot(_ goodbye: Goodbye) throws {
        let links = [MemoryTransport.pair(), MemoryTransport.pair()]
        let (thread, numbers) = try take(4, of: links[0], goodbye)
        let (summary, failure) = try run(links, frames: 30)
        try thread.value()
        #expect(numbers.withLock { $0 } == [0, 1, 2, 3])
        #expect(summary.receivers[0].connections == 1)
        #expect(summary.total.acknowledged == 4 && isAccounted(summary.total))
        #expect(summary.total.lost + summary.total.dropped.disconnected > 0)
        if goodbye.code == .failed {
            #expect(failure?.code == .peerFailed && failure?.message == "the receiver failed: disk full")
            #expect(summary.receivers[0].end == .error)
        } else {
            #expect(failure == nil && summary.receivers[0].end == .bye)
        }
    }

    @Test func aReceiverThatHadEverythingMayLeaveBeforeTheSourcesEndIsKnown() throws {
        let link = MemoryTransport.pair()
        let (thread, _) = try take(12, of: link, .complete("twelve are enough"))
        let (summary, failure) = try run([link], frames: 12)
        try thread.value()
        #expect(failure == nil && summary.total.acknowledged == 12 && summary.total.produced == 12)
    }

    @Test func withoutReconnectionAStopIsTheEnd() throws {
        let links = [MemoryTransport.pair(), MemoryTransport.pair()]
        let (thread, _) = try take(4, of: links[0], .stopped("restarted"))
        let (summary, failure) = try run(links, frames: 30, .never)
        try thread.value()
        #expect(failure == nil && summary.receivers[0].connections == 1 && summary.total.acknowledged == 4)
    }

    @Test func aLiveSenderGoesOnWithTheNextWhateverWasSaid() throws {
        for goodbye in [Goodbye.complete("enough"), .stopped("restarted"), .failed("disk full")] {
            let links = [MemoryTransport.pair(), MemoryTransport.pair()]
            let (first, _) = try take(2, of: links[0], goodbye)
            let (second, after) = try take(.max, of: links[1], .complete(""))
            let (summary, failure) = try run(links, frames: 10, .always)
            try first.value()
            try second.value()
            #expect(failure == nil && summary.receivers[0].connections == 2, "\(goodbye)")
            #expect(after.withLock { $0.last } == 9)
        }
    }

    @Test func aSenderThatFailedIsAnErrorBehindItsFrames() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try FrameReceiverTests.send(1...3, over: link.sender)
        let sending = try Background("the sender") {
            try? link.sender.finish(.failed("lens cap on"), until: .after(.seconds(60)))
        }
        for number in 1...3 { #expect(try receiver.next()?.info.sequence == UInt64(number)) }
        for _ in 0..<2 {
            do {
                _ = try receiver.next()
                Issue.record("in good order")
            } catch {
                #expect(error.code == .peerFailed && error.message == "the sender failed: lens cap on")
            }
        }
        // The goodbye was answered nevertheless.
        try sending.value()
        #expect(receiver.end == .error && receiver.statistics.frames == 3 && receiver.statistics.droppedAtEnd == 0)
        #expect(link.receiver.peer.goodbye == .failed("lens cap on"))
    }

    /// Encodes two pictures and refuses the rest.
    private struct TiredCodec: FrameCodec {
        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
            if frame.sequence >= 2 { throw FrameStreamingError(.unsupported, "no more") }
            return frame
        }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
    }

    @Test func theFailureOfAnEncoderIsReportedAfterTheFramesBeforeIt() throws {
        let link = MemoryTransport.pair()
        let collector = try FrameSenderTests.Collector(link.receiver)
        let sender = try FrameSender(
            codec: TiredCodec(), transport: link.sender, options: SenderOptions(policy: .reliable))
        var source = ScriptedSource(try FrameSenderTests.frames(10))
        #expect(throws: FrameStreamingError(.unsupported, "no more")) { try sender.run(&source) }
        try collector.waitForEnd()
        #expect(collector.numbers == [0, 1])
        #expect(collector.failure.withLock { $0 }?.message == "the sender failed: the encoder failed: no more")
        #expect(sender.summary.total.acknowledged == 2 && isAccounted(sender.summary.total))
    }
}
