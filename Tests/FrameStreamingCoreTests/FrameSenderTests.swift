import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// Sender and receiver over a connection without bytes.
@Suite(.ownThread(atOnce: 4)) struct FrameSenderTests {
    static func frames(_ count: Int) throws -> [Frame] {
        let format = try FrameFormat(width: 17, height: 13, pixelFormat: .i420)
        return try (0..<count).map { number in
            try .filled(format, sequence: UInt64(number), captureTime: CaptureTime(.now)) {
                UInt8(truncatingIfNeeded: $0 &+ number)
            }
        }
    }

    /// Receives everything on a thread of its own, and keeps the received frames.
    final class Collector: Sendable {
        let receiver: FrameReceiver
        let received = Monitor<[ReceivedFrame]>([])
        let failure = Monitor<FrameStreamingError?>(nil)
        private let collecting: Background<Void>

        /// The source's numbers of the received frames.
        var numbers: [UInt64] { received.withLock { $0.map(\.frame.sequence) } }

        init(_ transport: any Transport, limit: Int = .max) throws {
            let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport)
            self.receiver = receiver
            let (received, failure) = (received, failure)
            collecting = try Background("the collector of frames") {
                do throws(FrameStreamingError) {
                    while received.withLock({ $0.count }) < limit, let frame = try receiver.next() {
                        received.update { $0.append(frame) }
                    }
                    receiver.close("that is enough")
                } catch {
                    failure.update { $0 = error }
                }
            }
        }

        /// Waits until it has received its frames, or as many as its sender had.
        func waitForEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
            try collecting.value(sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [1, 2, 4, 16, 40]) func reliableDeliversEverythingInOrder(window: Int) throws {
        let link = MemoryTransport.pair()
        let collector = try Collector(link.receiver)
        let frames = try Self.frames(200)
        var source = ScriptedSource(frames)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender,
            options: SenderOptions(policy: .reliable, window: .fixed(window)))
        let summary = try sender.run(&source)
        try collector.waitForEnd()
        let received = collector.received.withLock { $0 }
        #expect(received.map(\.frame.sequence) == Array(0..<200))
        #expect(received.map(\.info.sequence) == Array(1...200))
        #expect(zip(received, frames).allSatisfy { $0.frame.contents == $1.contents })
        #expect(summary.total.produced == 200 && summary.total.acknowledged == 200)
        #expect(summary.receivers.first?.end == .bye)
        #expect(collector.receiver.statistics.frames == 200)
        #expect(collector.receiver.statistics.latency.count == 200)
        #expect(collector.receiver.end == .bye)
    }

    @Test func latestAccountsForEveryPicture() throws {
        let link = MemoryTransport.pair(creditAhead: 2)
        let collector = try Collector(link.receiver)
        var source = ScriptedSource(try Self.frames(2000), isLive: true)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender, options: SenderOptions(for: source, window: 1))
        let total = try sender.run(&source).total
        try collector.waitForEnd()
        #expect(total.produced == 2000)
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
        #expect(total.acknowledged == collector.receiver.statistics.frames)
        // No newer frame can replace the last one, so it always arrives.
        let received = collector.received.withLock { $0 }
        #expect(received.last?.frame.sequence == 1999)
        #expect(received.map(\.frame.sequence) == received.map(\.frame.sequence).sorted())
        #expect(collector.receiver.statistics.skipped == total.dropped.replaced)
    }

    @Test func theSourcesErrorComesAfterTheFramesBeforeIt() throws {
        let link = MemoryTransport.pair()
        let collector = try Collector(link.receiver)
        let broken = FrameStreamingError(.truncatedInput, "17 bytes are missing")
        var source = ScriptedSource(steps: try Self.frames(5).map { .event(.frame($0)) } + [.failure(broken)])
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender, options: SenderOptions(policy: .reliable))
        #expect(throws: broken) { try sender.run(&source) }
        try collector.waitForEnd()
        #expect(collector.received.withLock { $0.count } == 5)
        #expect(sender.summary.total.acknowledged == 5)
        #expect(link.receiver.peer.goodbye == .failed("source failed: 17 bytes are missing"))
    }

    @Test func aSourceThatHasNothingYetIsAskedAgain() throws {
        let link = MemoryTransport.pair()
        let collector = try Collector(link.receiver)
        let pause = ScriptedSource.Step.failure(FrameStreamingError(.timedOut, "nothing yet"))
        var source = ScriptedSource(steps: [pause, pause] + (try Self.frames(2)).map { .event(.frame($0)) } + [pause])
        let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender)
        _ = try sender.run(&source)
        try collector.waitForEnd()
        #expect(sender.summary.total.produced == 2)
    }

    @Test func lossAndReturnOfTheSourceReachTheReceiver() throws {
        let link = MemoryTransport.pair()
        let events = Monitor<[String]>([])
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver) { event in
            switch event {
            case .sourceLost(let reason): events.update { $0.append(reason) }
            case .sourceRestored: events.update { $0.append("restored") }
            case .undecodable: events.update { $0.append("undecodable") }
            }
        }
        let thread = try Background("the consumer") { while (try? receiver.next()) != nil {} }
        var source = ScriptedSource(steps: [
            .event(.lost(error: FrameStreamingError(.sourceLost, "unplugged", subject: "/dev/video0"))),
            .event(.restored),
            .event(.frame(try Self.frames(1)[0])),
        ])
        _ = try FrameSender(codec: IdentityCodec(), transport: link.sender).run(&source)
        try thread.value()
        #expect(events.withLock { $0 } == ["/dev/video0: unplugged", "restored"])
        #expect(receiver.statistics.frames == 1)
    }

    @Test func damagedFramesOfTheSourceAreReportedHereAndTheStreamGoesOn() throws {
        let link = MemoryTransport.pair()
        let collector = try Collector(link.receiver)
        let damage = FrameStreamingError(.corruptImage, "torn", subject: "film.mjpg")
        let frames = try Self.frames(2)
        var source = ScriptedSource(steps: [
            .event(.frame(frames[0])), .event(.damaged(count: 3, latest: damage)), .event(.frame(frames[1])),
        ])
        let seen = Monitor<[String]>([])
        var options = SenderOptions(policy: .reliable)
        options.onEvent = { event in
            if case .sourceDamaged(let count, let latest) = event { seen.update { $0.append("\(count) \(latest)") } }
        }
        let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender, options: options)
        _ = try sender.run(&source)
        try collector.waitForEnd()
        #expect(collector.numbers == [0, 1])
        #expect(seen.withLock { $0 } == ["3 film.mjpg: torn"])
    }

    @Test func aReceiverThatLeavesEndsTheRunCleanly() throws {
        let link = MemoryTransport.pair()
        let collector = try Collector(link.receiver, limit: 10)
        var source = ScriptedSource(try Self.frames(100))
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender, options: SenderOptions(policy: .reliable))
        let summary = try sender.run(&source)
        try collector.waitForEnd()
        let total = summary.total
        #expect(summary.receivers[0].end == .bye)
        #expect(summary.receivers[0].peer.goodbye == "that is enough")
        #expect(total.acknowledged == 10)
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
    }

    @Test func aCutConnectionIsThrownAndAccountedFor() throws {
        let link = MemoryTransport.pair()
        var source = ScriptedSource(try Self.frames(100))
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender, options: SenderOptions(policy: .reliable, window: 3))
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let thread = try Background("the consumer") {
            for _ in 0..<5 { _ = try? receiver.next() }
            link.sender.cut()
        }
        do {
            _ = try sender.run(&source)
            Issue.record("did not throw")
        } catch {
            #expect(error.code == .connectionLost)
        }
        try thread.value()
        let total = sender.summary.total
        #expect(sender.summary.receivers[0].end == .error)
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
        #expect(throws: FrameStreamingError.self) { while try receiver.next() != nil {} }
    }

    @Test func cancelEndsEveryWait() throws {
        // Without a receiver the sender waits for credit, and its source for the sender.
        let link = MemoryTransport.pair()
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender, options: SenderOptions(policy: .reliable, window: 1))
        let frames = try Self.frames(10)
        let result = Monitor<FrameStreamingError?>(nil)
        let thread = try Background("the sender") {
            var source = ScriptedSource(frames)
            do throws(FrameStreamingError) { _ = try sender.run(&source) } catch { result.update { $0 = error } }
        }
        try waitUntil { sender.summary.total.sent > 0 }
        sender.cancel()
        try thread.value()
        #expect(result.withLock { $0 }?.code == .cancelled)
        #expect(sender.summary.receivers[0].end == .cancelled)
        let total = sender.summary.total
        #expect(total.produced == total.dropped.total + total.lost && total.lost == 1)
    }

    @Test func stopEndsCleanly() throws {
        let link = MemoryTransport.pair()
        let collector = try Collector(link.receiver)
        let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender)
        let format = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8)
        let thread = try Background("the sender") {
            var source = EndlessSource(format: format)
            try sender.run(&source)
        }
        try waitUntil { sender.summary.total.acknowledged >= 3 }
        sender.stop()
        try thread.value()
        try collector.waitForEnd()
        #expect(sender.summary.receivers[0].end == .cancelled)
        #expect(collector.receiver.end == .bye)
        #expect(link.receiver.peer.goodbye == .stopped("sender stopped"))
        #expect(sender.summary.total.acknowledged == collector.receiver.statistics.frames)
    }

    @Test func severalReceiversShareOneEncoding() throws {
        let links = (0..<3).map { _ in MemoryTransport.pair() }
        let collectors = try links.map { try Collector($0.receiver) }
        let codec = CountingCodec()
        var source = ScriptedSource(try Self.frames(50))
        let sender = try FrameSender(
            codec: codec, transports: links.map(\.sender), options: SenderOptions(policy: .reliable))
        let summary = try sender.run(&source)
        for collector in collectors {
            try collector.waitForEnd()
            #expect(collector.received.withLock { $0.map(\.frame.sequence) } == Array(0..<50))
        }
        #expect(codec.encoded.withLock { $0 } == 50)
        #expect(summary.total.acknowledged == 150)
        let (first, second) = (collectors[0].received.withLock { $0[7] }, collectors[1].received.withLock { $0[7] })
        #expect(first.frame.sharesBytes(with: second.frame))
    }

    @Test func compressedPicturesPassUntouched() throws {
        let link = MemoryTransport.pair()
        let collector = try Collector(link.receiver)
        let codec = CountingCodec()
        let format = try FrameFormat(width: 8, height: 8, pixelFormat: .jpeg)
        let frame = try Frame.filled(format, byteCount: 500) { UInt8(truncatingIfNeeded: $0) }
        var source = ScriptedSource([frame])
        _ = try FrameSender(codec: codec, transport: link.sender).run(&source)
        try collector.waitForEnd()
        #expect(codec.encoded.withLock { $0 } == 0)
        #expect(try #require(collector.received.withLock { $0.first }).encoded.sharesBytes(with: frame))
    }

    @Test func picturesThatDoNotEncodeAreCountedAndInvalidSettingsEndTheRun() throws {
        for (code, isFatal) in [(FrameStreamingError.Code.corruptImage, false), (.unsupported, true)] {
            let link = MemoryTransport.pair()
            let collector = try Collector(link.receiver)
            var source = ScriptedSource(try Self.frames(4))
            let sender = try FrameSender(
                codec: CountingCodec(failure: code), transport: link.sender, options: SenderOptions(policy: .reliable))
            if isFatal {
                #expect(throws: FrameStreamingError(code, "no")) { try sender.run(&source) }
            } else {
                #expect(try sender.run(&source).total.failed == 4)
            }
            try collector.waitForEnd()
            let total = sender.summary.total
            #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
        }
    }

    @Test func settingsChangeWhileItRuns() throws {
        let link = MemoryTransport.pair()
        let collector = try Collector(link.receiver)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender,
            options: SenderOptions(encode: EncodeSettings(quality: 30, subsampling: .yuv422)))
        try sender.updateEncodeSettings { $0.quality = 60 }
        #expect(sender.encodeSettings == EncodeSettings(quality: 60, subsampling: .yuv422))
        #expect(throws: FrameStreamingError.self) { try sender.updateEncodeSettings { $0.quality = 0 } }
        #expect(sender.encodeSettings.quality == 60)
        var source = ScriptedSource([])
        _ = try sender.run(&source)
        try collector.waitForEnd()
    }

    @Test func runsOnceAndRefusesWhatCannotBe() throws {
        let link = MemoryTransport.pair()
        let collector = try Collector(link.receiver)
        let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender)
        var source = ScriptedSource([])
        _ = try sender.run(&source)
        try collector.waitForEnd()
        do {
            _ = try sender.run(&source)
            Issue.record("ran twice")
        } catch { #expect(error.code == .invalidArgument) }
        for quality in [0, 101, -1] {
            do {
                _ = try FrameSender(
                    codec: IdentityCodec(), transport: MemoryTransport.pair().sender,
                    options: SenderOptions(encode: EncodeSettings(quality: quality)))
                Issue.record("took quality \(quality)")
            } catch { #expect(error.code == .invalidArgument) }
        }
    }
}

/// Gives a thousand pictures a second for ever. Without a rate it would keep
/// other threads from the sender's lock.
struct EndlessSource: FrameSource {
    let format: FrameFormat
    var number: UInt64 = 0
    let isLive = true

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        number += 1
        SystemClock().sleep(until: MonotonicTime.now.advanced(by: .milliseconds(1)))
        return .frame(try .filled(format, sequence: number) { _ in 0 })
    }
}

/// Counts what it encodes, or fails.
final class CountingCodec: FrameCodec {
    let encoded = Monitor(0)
    let failure: FrameStreamingError.Code?

    init(failure: FrameStreamingError.Code? = nil) { self.failure = failure }

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        if let failure { throw FrameStreamingError(failure, "no") }
        encoded.update { $0 += 1 }
        return frame
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
}
