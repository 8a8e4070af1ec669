import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// Receivers that come and go, each with a slot, a window and a policy of its own; and
/// programs with a loop of their own.
@Suite(.ownThread(atOnce: 4)) struct ManyReceiversTests {
    @Test func receiversComeAndGo() throws {
        var options = SenderOptions(policy: .latest)
        options.waitsForReceivers = true
        let sender = try FrameSender(codec: IdentityCodec(), options: options)
        let format = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8)
        let thread = try Background("the sender") {
            var source = EndlessSource(format: format)
            try sender.run(&source)
        }
        for _ in 0..<3 {
            let link = MemoryTransport.pair()
            let collector = try FrameSenderTests.Collector(link.receiver, limit: 3)
            // Returns when the receiver has left.
            try sender.serve(link.sender)
            try collector.waitForEnd()
            #expect(collector.numbers.count == 3)
        }
        let last = MemoryTransport.pair()
        let collector = try FrameSenderTests.Collector(last.receiver)
        try sender.add(last.sender)
        try waitUntil { collector.received.withLock { $0.count } >= 3 }
        sender.stop()
        try thread.value()
        try collector.waitForEnd()
        #expect(sender.summary.receivers.count == 4)
        #expect(sender.summary.receivers.map(\.end) == [.bye, .bye, .bye, .cancelled])
        let total = sender.summary.total
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
        #expect(throws: FrameStreamingError.self) { try sender.add(MemoryTransport.pair().sender) }
    }

    @Test func eachHasAPolicyOfItsOwn() throws {
        let (all, newest) = (MemoryTransport.pair(), MemoryTransport.pair())
        let sender = try FrameSender(codec: IdentityCodec(), options: SenderOptions(policy: .latest, window: 1))
        try sender.add(all.sender, policy: .reliable)
        try sender.add(newest.sender)
        let complete = try FrameSenderTests.Collector(all.receiver)
        // Takes one frame and no more until the stream is over: it
        // must not delay the other receiver.
        let slow = try FrameReceiver(codec: IdentityCodec(), transport: newest.receiver)
        var source = ScriptedSource(try FrameSenderTests.frames(300))
        let thread = try Background("the slow receiver") {
            _ = try? slow.next()
            try complete.waitForEnd()
            while (try? slow.next()) != nil {}
        }
        // The slow receiver goes on after the other's goodbye, which must not wait for it.
        let summary = try sender.run(&source)
        try thread.value()
        #expect(complete.numbers == Array(0..<300))
        let other = summary.receivers[1].statistics
        #expect(other.acknowledged < 300 && other.dropped.replaced > 0)
        #expect(other.produced == other.acknowledged + other.dropped.total + other.failed + other.lost)
    }

    @Test func endedConnectionsAreCountedWhenTheirNamesAreGone() throws {
        var options = SenderOptions(policy: .reliable)
        options.waitsForReceivers = true
        let sender = try FrameSender(codec: IdentityCodec(), options: options)
        let frame = try FrameSenderTests.frames(1)[0]
        for _ in 0..<70 {
            let link = MemoryTransport.pair()
            try sender.add(link.sender)
            try waitUntil { try sender.trySend(frame) == .sent }
            let collector = try FrameSenderTests.Collector(link.receiver, limit: 1)
            try collector.waitForEnd()
            try waitUntil { sender.summary.receivers.allSatisfy { $0.end != nil } }
        }
        #expect(sender.summary.receivers.count <= 66)
        #expect(sender.summary.total.acknowledged == 70)
        _ = try sender.finish()
    }

    // MARK: trySend

    @Test func underReliableAPictureWithoutRoomIsNotTaken() throws {
        let link = MemoryTransport.pair(creditAhead: 1)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender, options: SenderOptions(policy: .reliable, window: 1))
        let frames = try FrameSenderTests.frames(10)
        // One frame is in flight, one is encoded, and one waits: there is no more room
        // before the first acknowledgement.
        for frame in frames.prefix(3) {
            try waitUntil { try [.sent, .queued(replacing: false)].contains(sender.trySend(frame)) }
        }
        #expect(!sender.hasCredit)
        for frame in frames.dropFirst(3) { #expect(try sender.trySend(frame) == .noCredit) }
        let collector = try FrameSenderTests.Collector(link.receiver)
        try waitUntil { sender.hasCredit }
        #expect(try sender.trySend(frames[9]) == .sent)
        let summary = try sender.finish()
        try collector.waitForEnd()
        #expect(collector.numbers == [0, 1, 2, 9])
        #expect(summary.total.produced == 4 && summary.total.acknowledged == 4)
    }

    @Test func underLatestAPictureWaitsInThePlaceOfAnOlderOne() throws {
        let link = MemoryTransport.pair(creditAhead: 1)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender, options: SenderOptions(policy: .latest, window: 1))
        let frames = try FrameSenderTests.frames(4)
        #expect(sender.hasCredit)
        #expect(try sender.trySend(frames[0]) == .sent)
        try waitUntil { sender.summary.total.sent == 1 }
        #expect(!sender.hasCredit)
        #expect(try sender.trySend(frames[1], mayQueue: false) == .noCredit)
        #expect(try sender.trySend(frames[1]) == .queued(replacing: false))
        #expect(try sender.trySend(frames[2], mayQueue: false) == .noCredit)
        #expect(try sender.trySend(frames[2]) == .queued(replacing: true))
        let collector = try FrameSenderTests.Collector(link.receiver)
        _ = try sender.finish()
        try collector.waitForEnd()
        #expect(collector.numbers == [0, 2])
        #expect(try sender.trySend(frames[3]) == .ended)
        #expect(sender.summary.total.dropped.replaced == 1)
    }

    @Test func aFrameHandedOverWithoutAReceiverIsNotTaken() throws {
        var options = SenderOptions(policy: .latest)
        options.waitsForReceivers = true
        let sender = try FrameSender(codec: IdentityCodec(), options: options)
        let frames = try FrameSenderTests.frames(2)
        #expect(try sender.trySend(frames[0]) == .noReceiver)
        let link = MemoryTransport.pair()
        try sender.add(link.sender)
        let collector = try FrameSenderTests.Collector(link.receiver, limit: 1)
        try waitUntil { try sender.trySend(frames[1]) == .sent || !collector.numbers.isEmpty }
        try collector.waitForEnd()
        try waitUntil { sender.summary.receivers.allSatisfy { $0.end != nil } }
        // The only receiver has left.
        #expect(try sender.trySend(frames[1]) == .noReceiver)
        #expect(sender.summary.total.produced == sender.summary.total.acknowledged)
        sender.stop()
        #expect(try sender.trySend(frames[1]) == .ended)
        _ = try sender.finish()
        #expect(try sender.trySend(frames[1]) == .ended)
    }

    @Test func theReceiverHearsTheReasonThatThisSideGives() throws {
        for stops in [true, false] {
            let link = MemoryTransport.pair()
            let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender)
            let collector = try FrameSenderTests.Collector(link.receiver)
            try sender.trySend(FrameSenderTests.frames(1)[0])
            if stops { sender.stop(.failed("the lamp is broken")) }
            _ = try sender.finish(stops ? .complete("not this") : .failed("the lamp is broken"))
            try collector.waitForEnd()
            #expect(link.receiver.peer.goodbye == .failed("the lamp is broken"))
        }
    }

    @Test func aRunWithoutAReceiverThatMayComeIsRefused() throws {
        var options = SenderOptions(policy: .reliable)
        let sender = try FrameSender(codec: IdentityCodec(), options: options)
        var source = ScriptedSource(try FrameSenderTests.frames(1))
        let error = #expect(throws: FrameStreamingError.self) { try sender.run(&source) }
        #expect(error?.code == .invalidArgument && error?.message.contains("waitsForReceivers") == true)
        // Nothing was taken from the source, and a receiver that is added now gets the frame.
        let link = MemoryTransport.pair()
        try sender.add(link.sender)
        let collector = try FrameSenderTests.Collector(link.receiver)
        try sender.run(&source)
        try collector.waitForEnd()
        #expect(collector.numbers == [0])
        options.waitsForReceivers = true
        let waiting = try FrameSender(codec: IdentityCodec(), options: options)
        waiting.stop()
        #expect(try waiting.run(&source).receivers.isEmpty)
    }

    // MARK: Requests, encoders

    @Test func aReceiverPausesResumesAndChoosesTheQuality() throws {
        let link = MemoryTransport.pair()
        let requests = Monitor<[ReceiverRequest]>([])
        var options = SenderOptions(policy: .reliable)
        options.onEvent = { event in
            if case .requested(_, let request) = event { requests.update { $0.append(request) } }
        }
        let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender, options: options)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let frames = try FrameSenderTests.frames(40)
        try receiver.request(.pause)
        try waitUntil { requests.withLock { $0 } == [.pause] }
        let thread = try Background("the sender") {
            var source = ScriptedSource(frames)
            try sender.run(&source)
        }
        try waitUntil { sender.summary.total.produced > 0 }
        #expect(throws: FrameStreamingError.self) { try receiver.next(until: .after(.milliseconds(50))) }
        #expect(sender.summary.total.sent == 0)
        #expect(sender.summary.receivers.map(\.isPaused) == [true])
        try receiver.request(.quality(35))
        try receiver.request(.resume)
        try waitUntil { sender.summary.receivers.map(\.isPaused) == [false] }
        var count = 0
        while try receiver.next() != nil { count += 1 }
        try thread.value()
        #expect(count == 40)
        #expect(sender.encodeSettings.quality == 35)
    }

    @Test(arguments: [1, 2, 5]) func severalEncodersKeepTheOrder(encoders: Int) throws {
        let link = MemoryTransport.pair()
        let collector = try FrameSenderTests.Collector(link.receiver)
        let codec = UnevenCodec(atOnce: min(encoders, 2))
        var options = SenderOptions(policy: .reliable, window: 8)
        options.encoders = encoders
        var source = ScriptedSource(try FrameSenderTests.frames(200))
        _ = try FrameSender(codec: codec, transport: link.sender, options: options).run(&source)
        try collector.waitForEnd()
        #expect(collector.numbers == Array(0..<200))
        #expect(codec.most.withLock { $0 } <= encoders)
        if encoders > 1 { #expect(codec.most.withLock { $0 } > 1) }
    }

    @Test func adaptiveQualityIsForOneReceiver() throws {
        var options = SenderOptions()
        options.adaptiveQuality = AdaptiveQuality(20...80)
        let sender = try FrameSender(codec: IdentityCodec(), options: options)
        try sender.add(MemoryTransport.pair().sender)
        do {
            try sender.add(MemoryTransport.pair().sender)
            Issue.record("took a second receiver")
        } catch { #expect(error.code == .unsupported) }
        sender.cancel()
        options.adaptiveQuality = AdaptiveQuality(0...80)
        #expect(throws: FrameStreamingError.self) { try FrameSender(codec: IdentityCodec(), options: options) }
    }
}

/// Takes longer for some pictures than for others, and counts how many it had at once.
private final class UnevenCodec: FrameCodec {
    let most = Monitor(0)
    private let now = Monitor(0)
    private let atOnce: Int

    /// - Parameter atOnce: No call returns before this many run at once.
    init(atOnce: Int) { self.atOnce = atOnce }

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        let count = now.withLock { now in
            now += 1
            return now
        }
        most.update { $0 = max($0, count) }
        let met: Bool? = most.wait(until: MonotonicTime.now.advanced(by: .seconds(20)).nanoseconds) { most in
            most >= atOnce ? true : nil
        }
        if met == nil { throw FrameStreamingError(.corruptImage, "no other encoder came") }
        // The first of every seven takes the least time.
        var sum: UInt64 = 0
        for index in 0..<(frame.sequence % 7) * 200 { sum &+= index }
        if sum == 1 { throw FrameStreamingError(.corruptImage, "no") }
        now.withLock { $0 -= 1 }
        return frame
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
}
