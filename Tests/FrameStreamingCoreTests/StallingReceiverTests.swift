import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// Receivers that stall without a goodbye: how long the sender waits for them,
/// and how the other receivers fare.
@Suite(.ownThread(atOnce: 4)) struct StallingReceiverTests {
    /// Far more than a receiver that takes everything needs on a busy machine.
    private static let patience = Duration.seconds(1)

    /// A receiver that takes everything, and one that takes two frames and then
    /// nothing but keeps its connection.
    private struct Pair {
        let good: (sender: MemoryTransport, receiver: MemoryTransport)
        let still: (sender: MemoryTransport, receiver: MemoryTransport)
        let collector: FrameSenderTests.Collector
        let stalled: FrameReceiver

        init() throws {
            (good, still) = (MemoryTransport.pair(), MemoryTransport.pair())
            collector = try FrameSenderTests.Collector(good.receiver)
            stalled = try FrameReceiver(codec: IdentityCodec(), transport: still.receiver)
        }

        func expectAccounts(_ summary: SenderSummary) {
            for statistics in summary.receivers.map(\.statistics) {
                #expect(
                    statistics.produced == statistics.acknowledged + statistics.dropped.total + statistics.failed
                        + statistics.lost)
            }
        }
    }

    /// The stalled receiver is first or last in the list of receivers.
    @Test(arguments: [false, true]) func inMidStreamOnesPatienceEndsAndTheOthersGoOn(isFirst: Bool) throws {
        let pair = try Pair()
        var options = SenderOptions(policy: .reliable, window: 2)
        options.stallTimeout = Self.patience
        options.finishTimeout = Self.patience
        let transports = isFirst ? [pair.still.sender, pair.good.sender] : [pair.good.sender, pair.still.sender]
        let sender = try FrameSender(codec: IdentityCodec(), transports: transports, options: options)
        var source = ScriptedSource(try FrameSenderTests.frames(300))
        let summary = try sender.run(&source)
        try pair.collector.waitForEnd()
        #expect(pair.collector.numbers == Array(0..<300))
        let (stalled, good) = (summary.receivers[isFirst ? 0 : 1], summary.receivers[isFirst ? 1 : 0])
        #expect(good.failure == nil && good.end == .bye && good.statistics.acknowledged == 300)
        #expect(stalled.failure?.code == .timedOut && stalled.end == .error)
        #expect(stalled.failure?.message.contains("stallTimeout") == true)
        #expect(stalled.statistics.acknowledged == 0 && stalled.statistics.lost == 2)
        pair.expectAccounts(summary)
        // The stalled receiver finds the goodbye once it reads.
        #expect(pair.still.receiver.peer.goodbye?.text.hasPrefix("given up: ") == true)
    }

    @Test func givingUpTheOnlyReceiverFailsTheRun() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        var options = SenderOptions(policy: .reliable, window: 1)
        options.stallTimeout = Self.patience
        options.finishTimeout = Self.patience
        let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender, options: options)
        var source = ScriptedSource(try FrameSenderTests.frames(30))
        do {
            try sender.run(&source)
            Issue.record("went on without anybody")
        } catch { #expect(error.code == .timedOut) }
        let total = sender.summary.total
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
        receiver.close("")
    }

    @Test func withoutAWordOfTheUserTheSlowestIsWaitedFor() throws {
        let pair = try Pair()
        let watched = Watched(pair.still.sender, moves: false)
        let sender = try FrameSender(
            codec: IdentityCodec(), transports: [pair.good.sender, watched],
            options: SenderOptions(policy: .reliable, window: 1))
        let frames = try FrameSenderTests.frames(20)
        let thread = try Background("the sender") {
            var source = ScriptedSource(frames)
            try sender.run(&source)
        }
        try waitUntil { watched.looks >= 6 }
        #expect(sender.summary.receivers.allSatisfy { $0.end == nil })
        while try pair.stalled.next() != nil {}
        try thread.value()
        try pair.collector.waitForEnd()
        #expect(sender.summary.total.acknowledged == 40)
    }

    @Test func atTheEndPicturesThatDoNotArriveAreAFailure() throws {
        let pair = try Pair()
        var options = SenderOptions(policy: .reliable, window: 2)
        options.drainTimeout = Self.patience
        options.finishTimeout = Self.patience
        let sender = try FrameSender(
            codec: IdentityCodec(), transports: [pair.good.sender, pair.still.sender], options: options)
        // The source ends with as many frames as the stalled receiver has room for.
        var source = ScriptedSource(try FrameSenderTests.frames(3))
        let summary = try sender.run(&source)
        try pair.collector.waitForEnd()
        #expect(pair.collector.numbers == [0, 1, 2])
        #expect(summary.receivers[0].end == .bye && summary.receivers[0].failure == nil)
        #expect(summary.receivers[1].end == .error && summary.receivers[1].failure?.code == .timedOut)
        #expect(summary.receivers[1].failure?.message.contains("drainTimeout") == true)
        pair.expectAccounts(summary)
    }

    /// Reports delivered bytes that grow with each call, or never.
    private final class Watched: DeliveryProgress {
        private let base: MemoryTransport
        private let count = Monitor(0)
        private let moves: Bool

        init(_ base: MemoryTransport, moves: Bool) { (self.base, self.moves) = (base, moves) }

        /// How often the bytes were read.
        var looks: Int { count.withLock { $0 } }

        var deliveredBytes: UInt64? {
            count.update { $0 += 1 }
            return moves ? UInt64(looks) : 0
        }

        var peer: Peer { base.peer }
        func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
            try base.send(message, until: deadline)
        }
        func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
            try base.receive(until: deadline)
        }
        func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
            try base.finish(goodbye, until: deadline)
        }
        func close() { base.close() }
    }

    /// The shortest possible patience, at the source's end and before: it
    /// does not run out while bytes move.
    @Test(arguments: [3, 40]) func whatArrivesLateButSurelyIsNotCutOff(frames: Int) throws {
        let link = MemoryTransport.pair()
        let transport = Watched(link.sender, moves: true)
        var options = SenderOptions(policy: .reliable, window: 2)
        options.drainTimeout = .nanoseconds(1)
        options.stallTimeout = .nanoseconds(1)
        let sender = try FrameSender(codec: IdentityCodec(), transport: transport, options: options)
        let pictures = try FrameSenderTests.frames(frames)
        let thread = try Background("the sender") {
            var source = ScriptedSource(pictures)
            try sender.run(&source)
        }
        // Nothing is acknowledged meanwhile.
        try waitUntil { transport.looks >= 6 }
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        while try receiver.next() != nil {}
        try thread.value()
        #expect(sender.summary.total.acknowledged == frames)
    }

    @Test func aPauseOnRequestIsNoStallBeforeTheEnd() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let watched = Watched(link.sender, moves: false)
        let isPaused = Monitor(false)
        var options = SenderOptions(policy: .reliable, window: 1)
        options.stallTimeout = .nanoseconds(1)
        options.onEvent = { event in
            if case .requested(_, .pause) = event { isPaused.update { $0 = true } }
        }
        let sender = try FrameSender(codec: IdentityCodec(), transport: watched, options: options)
        try receiver.request(.pause)
        try waitUntil { isPaused.withLock { $0 } }
        let frames = try FrameSenderTests.frames(10)
        let thread = try Background("the sender") {
            var source = ScriptedSource(frames)
            #expect(throws: FrameStreamingError.self) { try sender.run(&source) }
        }
        try waitUntil { watched.looks >= 6 }
        #expect(sender.summary.receivers[0].end == nil)
        sender.cancel()
        try thread.value()
    }

    @Test func aWaitForAReceiverIsReported() throws {
        let pair = try Pair()
        let said = Monitor<(Duration, Duration?)?>(nil)
        var options = SenderOptions(policy: .reliable, window: 1)
        options.stallTimeout = .seconds(600)
        options.onEvent = { event in
            if case .stalled(let peer, let quiet, let left) = event {
                #expect(peer.address == "memory")
                said.update { $0 = $0 ?? (quiet, left) }
            }
        }
        let sender = try FrameSender(codec: IdentityCodec(), transport: pair.still.sender, options: options)
        let frames = try FrameSenderTests.frames(10)
        let thread = try Background("the sender") {
            var source = ScriptedSource(frames)
            #expect(throws: FrameStreamingError.self) { try sender.run(&source) }
        }
        try waitUntil { said.withLock { $0 != nil } }
        let (quiet, left) = try #require(said.withLock { $0 })
        #expect(quiet >= .seconds(3) && left.map { $0 + quiet } == .seconds(600))
        sender.cancel()
        try thread.value()
        pair.good.sender.close()
        try pair.collector.waitForEnd()
    }
}
