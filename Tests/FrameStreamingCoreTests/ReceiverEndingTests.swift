import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// How soon a receiver ends, and what happens to frames that have arrived.
@Suite(.ownThread(atOnce: 4)) struct ReceiverEndingTests {
    private func arrived(_ count: UInt64, _ link: (sender: MemoryTransport, receiver: MemoryTransport)) throws
        -> FrameReceiver
    {
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try FrameReceiverTests.send(1...count, over: link.sender)
        try waitUntil { receiver.statistics.bytes == Int(count) * 4 }
        return receiver
    }

    private func acknowledged(_ transport: MemoryTransport) throws -> [UInt64] {
        var numbers: [UInt64] = []
        while let word = try FrameReceiverTests.acknowledgement(transport) {
            #expect(word.outcome == .consumed)
            numbers.append(word.sequence)
        }
        return numbers
    }

    @Test func afterAStopNoFrameIsGiven() throws {
        let link = MemoryTransport.pair()
        let receiver = try arrived(5, link)
        #expect(try receiver.next()?.info.sequence == 1)
        receiver.stop()
        #expect(try receiver.next() == nil)
        #expect(receiver.statistics.droppedAtEnd == 4 && receiver.statistics.frames == 1)
    }

    @Test func afterACancelNoFrameIsGiven() throws {
        let link = MemoryTransport.pair()
        let receiver = try arrived(5, link)
        #expect(try receiver.next()?.info.sequence == 1)
        receiver.cancel()
        #expect(throws: FrameStreamingError.cancelled("the receiver")) { try receiver.next() }
        #expect(receiver.statistics.droppedAtEnd == 4)
    }

    /// Takes a second for each frame.
    private struct CostlyCodec: FrameCodec {
        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            let clock = SystemClock()
            clock.sleep(until: clock.now.advanced(by: .seconds(1)))
            return frame
        }
    }

    @Test func afterABreakASecondOfDecodingIsDone() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: CostlyCodec(), transport: link.receiver)
        try FrameReceiverTests.send(1...5, over: link.sender)
        link.sender.close()
        try waitUntil { receiver.end != nil }
        #expect(try receiver.next()?.info.sequence == 1)
        do {
            _ = try receiver.next()
            Issue.record("given")
        } catch { #expect(error.code == .endedWithoutGoodbye) }
        #expect(receiver.end == .eof)
        #expect(receiver.statistics.frames == 1 && receiver.statistics.droppedAtEnd == 4)
    }

    @Test func afterABreakASlowConsumerGetsAllFrames() throws {
        let link = MemoryTransport.pair()
        let receiver = try arrived(3, link)
        link.sender.close()
        try waitUntil { receiver.end != nil }
        for number in 1...3 {
            #expect(try receiver.next()?.info.sequence == UInt64(number))
            SystemClock().sleep(until: MonotonicTime.now.advanced(by: .milliseconds(500)))
        }
        do {
            _ = try receiver.next()
            Issue.record("given")
        } catch { #expect(error.code == .endedWithoutGoodbye) }
        #expect(receiver.statistics.frames == 3 && receiver.statistics.droppedAtEnd == 0)
    }

    @Test func afterAGoodbyeFramesAreGivenHoweverLongItTakes() throws {
        let link = MemoryTransport.pair()
        let receiver = try arrived(3, link)
        let sending = try Background("the sender") {
            try? link.sender.finish("all sent", until: .after(.seconds(60)))
        }
        try waitUntil { receiver.end != nil }
        SystemClock().sleep(until: MonotonicTime.now.advanced(by: .milliseconds(1200)))
        for number in 1...3 { #expect(try receiver.next()?.info.sequence == UInt64(number)) }
        #expect(try receiver.next() == nil && receiver.statistics.droppedAtEnd == 0)
        try sending.value()
    }

    /// Decodes when the test permits it.
    final class HeldCodec: FrameCodec {
        let isDecoding = Monitor(false)
        let mayDecode = Monitor(false)

        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            isDecoding.update { $0 = true }
            let _: Bool? = mayDecode.wait(until: waitLimit()) { $0 ? true : nil }
            return frame
        }

        func waitUntilDecoding() throws {
            try waitUntil("a frame is being decoded") { isDecoding.withLock { $0 } }
        }
    }

    @Test func whatIsBeingDecodedAtAStopIsNotGiven() throws {
        let link = MemoryTransport.pair()
        let codec = HeldCodec()
        let receiver = try FrameReceiver(codec: codec, transport: link.receiver)
        try FrameReceiverTests.send(1...2, over: link.sender)
        let given = Monitor<Bool?>(nil)
        let thread = try Background("the consumer") {
            let frame = try? receiver.next()
            given.update { $0 = frame != nil }
        }
        try codec.waitUntilDecoding()
        receiver.stop()
        codec.mayDecode.update { $0 = true }
        try thread.value()
        #expect(given.withLock { $0 } == false)
        #expect(receiver.statistics.frames == 0 && receiver.statistics.droppedAtEnd == 2)
        #expect(try acknowledged(link.sender).isEmpty)
    }

    /// A cancelled task stops waiting although the thread behind it is
    /// in a codec that does not return.
    @Test func aCancelledTaskWaitsForNoCodec() async throws {
        let link = MemoryTransport.pair()
        let codec = HeldCodec()
        let receiver = try FrameReceiver(codec: codec, transport: link.receiver)
        try FrameReceiverTests.send(1...2, over: link.sender)
        let task = Task {
            var count = 0
            for try await _ in receiver.frames { count += 1 }
            return count
        }
        try codec.waitUntilDecoding()
        task.cancel()
        #expect(try await task.value == 0)
        #expect(codec.mayDecode.withLock { !$0 })
        codec.mayDecode.update { $0 = true }
        // The goodbye is sent while the codec is busy, and the frame
        // decoded meanwhile is not delivered.
        try waitUntil { link.sender.peer.goodbye == .stopped("receiver stopped") }
        #expect(try acknowledged(link.sender).isEmpty)
    }

    /// A connection to a frozen sender: it takes a goodbye, and answers when the test permits it.
    private final class FrozenTransport: Transport {
        let base: MemoryTransport
        let isFinishing = Monitor(false)
        let mayFinish = Monitor(false)

        init(_ base: MemoryTransport) { self.base = base }

        var peer: Peer { base.peer }
        func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
            try base.send(message, until: deadline)
        }
        func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
            try base.receive(until: deadline)
        }
        func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
            isFinishing.update { $0 = true }
            let _: Bool? = mayFinish.wait(until: waitLimit()) { $0 ? true : nil }
            base.close()
        }
        func close() { base.close() }
    }

    @Test func aCancelledTaskWaitsForNoGoodbye() async throws {
        let link = MemoryTransport.pair()
        let frozen = FrozenTransport(link.receiver)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: frozen)
        let (started, signal) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            var iterator = receiver.frames.makeAsyncIterator()
            _ = try await iterator.next()
            signal.yield()
            return try await iterator.next() == nil
        }
        try FrameReceiverTests.send(1...1, over: link.sender)
        for await _ in started { break }
        task.cancel()
        #expect(try await task.value)
        #expect(frozen.mayFinish.withLock { !$0 })
        try waitUntil { frozen.isFinishing.withLock { $0 } }
        frozen.mayFinish.update { $0 = true }
    }

    @Test func aSequenceThatWasCancelledStaysAtItsEnd() async throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try FrameReceiverTests.send(1...3, over: link.sender)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            var iterator = receiver.frames.makeAsyncIterator()
            let first = try await iterator.next()
            let second = try await iterator.next()
            return first == nil && second == nil
        }
        task.cancel()
        #expect(try await task.value)
        try waitUntil { link.sender.peer.goodbye?.code == .stopped }
    }
}
