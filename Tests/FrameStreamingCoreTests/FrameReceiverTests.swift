import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@Suite(.ownThread(atOnce: 4)) struct FrameReceiverTests {
    static func send(_ numbers: ClosedRange<UInt64>, over transport: MemoryTransport) throws {
        let format = try FrameFormat(width: 2, height: 2, pixelFormat: .gray8)
        for number in numbers {
            let frame = try Frame.filled(format, sequence: number) { _ in UInt8(truncatingIfNeeded: number) }
            try transport.send(.frame(frame, FrameInfo(sequence: number)), until: .never)
        }
    }

    static func acknowledgement(_ transport: MemoryTransport) throws -> Acknowledgement? {
        do throws(FrameStreamingError) {
            guard case .acknowledgement(let word)? = try transport.receive(until: .now) else { return nil }
            return word
        } catch {
            if error.code == .timedOut { return nil }
            throw error
        }
    }

    @Test func aFrameIsAcknowledgedWhenTheNextIsAskedFor() throws {
        let link = MemoryTransport.pair(creditAhead: 5)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try Self.send(1...2, over: link.sender)
        #expect(try receiver.next()?.info.sequence == 1)
        #expect(try Self.acknowledgement(link.sender) == nil)
        #expect(try receiver.next()?.info.sequence == 2)
        let word = try #require(try Self.acknowledgement(link.sender))
        #expect(word.sequence == 1 && word.creditThrough == 6 && word.outcome == .consumed)
        #expect(word.receivedThrough >= 1 && word.consumedTime != nil && word.arrivalTime != nil)
        #expect(try Self.acknowledgement(link.sender) == nil)
        // A call of `next()` reports that the last frame was consumed, even if it times out.
        #expect(throws: FrameStreamingError(.timedOut, "timed out waiting for a frame")) {
            try receiver.next(until: .now)
        }
        #expect(try Self.acknowledgement(link.sender)?.sequence == 2)
        #expect(receiver.statistics.frames == 2)
    }

    @Test func latestPassesOverTheOlderAndSaysSo() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try Self.send(1...4, over: link.sender)
        link.sender.close()
        // The sender's end comes behind the frames: once it is known, all of them are here.
        try waitUntil("the end of the connection") { receiver.end != nil }
        #expect(try receiver.latest()?.info.sequence == 4)
        #expect(receiver.statistics.skippedHere == 3)
        #expect(throws: FrameStreamingError.self) { try receiver.latest() }
        #expect(receiver.statistics.frames == 1)
    }

    @Test func skippedFramesAreAcknowledgedInOrder() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try Self.send(1...1, over: link.sender)
        _ = try receiver.next()
        try Self.send(2...4, over: link.sender)
        // The queue depth in the acknowledgement of frame 1 is that of the moment.
        var words: [Acknowledgement] = []
        while words.last?.sequence != 3 {
            _ = try? receiver.latest(until: .now)
            while let word = try Self.acknowledgement(link.sender) { words.append(word) }
            if words.last?.sequence == 4 { break }
        }
        #expect(words.map(\.sequence) == Array(1...UInt64(words.count)))
        #expect(words.filter { $0.outcome == .skipped }.count == receiver.statistics.skippedHere)
    }

    @Test func aFrameThatDoesNotDecodeIsReportedAndNotFatal() throws {
        let link = MemoryTransport.pair()
        let events = Monitor<[UInt64]>([])
        let receiver = try FrameReceiver(codec: PickyCodec(), transport: link.receiver) { event in
            if case .undecodable(let info, _) = event { events.update { $0.append(info.sequence) } }
        }
        try Self.send(1...6, over: link.sender)
        #expect(try receiver.next()?.info.sequence == 1)
        #expect(try receiver.next()?.info.sequence == 3)
        #expect(try receiver.next()?.info.sequence == 5)
        receiver.close()
        let words = try (1...6).compactMap { _ in try Self.acknowledgement(link.sender) }
        #expect(words.map(\.outcome) == [.consumed, .undecodable, .consumed, .undecodable, .consumed])
        #expect(words.last?.unconsumed == 2)
        #expect(receiver.statistics.decodeFailures == 2 && receiver.statistics.frames == 3)
        #expect(events.withLock { $0 } == [2, 4])
    }

    @Test func framesThatDecodeWithWarningsAreDeliveredAndCounted() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: WarningCodec(), transport: link.receiver)
        try Self.send(1...5, over: link.sender)
        for number: UInt64 in 1...5 {
            let received = try #require(try receiver.next())
            #expect(received.info.sequence == number)
            #expect(received.frame.hasDecodeWarnings == (number % 2 == 0) && !received.encoded.hasDecodeWarnings)
        }
        receiver.close()
        var total = receiver.statistics
        #expect(total.decodeWarnings == 2 && total.frames == 5 && total.decodeFailures == 0)
        #expect(receiver.takeInterval().decodeWarnings == 2 && receiver.takeInterval().decodeWarnings == 0)
        total.merge(receiver.statistics)
        #expect(total.decodeWarnings == 4)
    }

    @Test(arguments: [[1, 3], [2], [1, 1]] as [[UInt64]]) func numbersWithGapsEndTheConnection(numbers: [UInt64]) throws
    {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        for number in numbers { try Self.send(number...number, over: link.sender) }
        do {
            while try receiver.next() != nil {}
            Issue.record("accepted")
        } catch { #expect(error.code == .protocolViolation) }
        #expect(receiver.end == .error)
    }

    @Test func moreThanTheCreditEndsTheConnectionAfterTheFramesBeforeIt() throws {
        let link = MemoryTransport.pair(creditAhead: 3)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try Self.send(1...4, over: link.sender)
        // `next()` is not called until the violation was seen, so
        // that no credit is returned before.
        try waitUntil("the end of the connection") { receiver.end != nil }
        for number in 1...3 { #expect(try receiver.next()?.info.sequence == UInt64(number)) }
        do {
            _ = try receiver.next()
            Issue.record("accepted")
        } catch { #expect(error.code == .protocolViolation) }
    }

    @Test func cancelEndsTheWait() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let waiting = try Background("a wait for a frame") { _ = try receiver.next() }
        receiver.cancel()
        #expect(waiting.error(as: FrameStreamingError.self)?.code == .cancelled)
        #expect(receiver.end == .cancelled)
    }

    /// A sender over `transport` that sends until the receiver leaves.
    static func endlessSender(over transport: MemoryTransport) throws -> (FrameSender, Background<Void>) {
        let sender = try FrameSender(codec: IdentityCodec(), transport: transport)
        let format = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8)
        let thread = try Background("the sender") {
            var source = EndlessSource(format: format)
            try sender.run(&source)
        }
        return (sender, thread)
    }

    @Test func stopSaysGoodbye() throws {
        let link = MemoryTransport.pair()
        let (sender, thread) = try Self.endlessSender(over: link.sender)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        for _ in 0..<3 { #expect(try receiver.next() != nil) }
        receiver.stop()
        #expect(try receiver.next() == nil)
        try thread.value()
        #expect(receiver.end == .cancelled)
        #expect(sender.summary.receivers[0].end == .bye)
        #expect(sender.summary.receivers[0].peer.goodbye == .stopped("receiver stopped"))
        #expect(sender.summary.total.acknowledged == 3)
    }

    @Test func stopMayHaveAReasonOfItsOwn() throws {
        let link = MemoryTransport.pair()
        let (sender, thread) = try Self.endlessSender(over: link.sender)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        #expect(try receiver.next() != nil)
        receiver.stop("window closed")
        receiver.stop("too late")
        #expect(try receiver.latest() == nil)
        try thread.value()
        #expect(sender.summary.receivers[0].peer.goodbye == "window closed")
    }

    @Test func aStreamWithoutAGoodbyeIsAnError() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try Self.send(1...2, over: link.sender)
        link.sender.close()
        #expect(try receiver.next()?.info.sequence == 1)
        #expect(try receiver.next()?.info.sequence == 2)
        do {
            _ = try receiver.next()
            Issue.record("ended in good order")
        } catch { #expect(error.code == .endedWithoutGoodbye) }
        #expect(receiver.end == .eof)
        #expect(receiver.statistics.frames == 2)
    }

    @Test func latencyCountsOnTheReceiversClock() throws {
        let link = MemoryTransport.pair(clockOffset: .seconds(5))
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let format = try FrameFormat(width: 2, height: 2, pixelFormat: .gray8)
        let captured = MonotonicTime.now.advanced(by: .seconds(-6))
        let frame = try Frame.filled(format, captureTime: CaptureTime(captured)) { _ in 0 }
        try link.sender.send(.frame(frame, FrameInfo(sequence: 1)), until: .never)
        let received = try #require(try receiver.next())
        #expect(received.localCaptureTime == captured.advanced(by: .seconds(5)))
        #expect(try #require(received.age) >= .seconds(1))
        receiver.close()
        #expect(try #require(receiver.statistics.latency.percentile(100)) >= .seconds(1))
    }

    @Test func withoutACommonClockThereIsNoLatency() throws {
        let link = MemoryTransport.pair(clockOffset: nil)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try Self.send(1...1, over: link.sender)
        #expect(try receiver.next()?.age == nil)
        receiver.close()
        #expect(receiver.statistics.latency.summary == nil)
        #expect(receiver.statistics.frames == 1)
    }

    @Test func theIntervalIsWhatHappenedSinceTheLast() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try Self.send(1...3, over: link.sender)
        for _ in 0..<3 { _ = try receiver.next() }
        _ = receiver.takeInterval()
        try Self.send(4...4, over: link.sender)
        _ = try receiver.next()
        let interval = receiver.takeInterval()
        #expect(interval.frames == 1 && interval.bytes == 4)
        #expect(receiver.takeInterval().frames == 0)
        #expect(receiver.statistics.bytes == 16)
    }
}

/// Decodes the odd frames only.
/// Warns of each second frame.
struct WarningCodec: FrameCodec {
    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        var result = frame
        result.hasDecodeWarnings = frame.sequence % 2 == 0
        return result
    }
}

struct PickyCodec: FrameCodec {
    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        if frame.sequence % 2 == 0 { throw FrameStreamingError(.corruptImage, "even") }
        return frame
    }
}
