import FrameStreamingCore
import FrameStreamingTesting
import TestThreads
import Testing

@Suite(.ownThread(atOnce: 4)) struct FrameSequenceTests {
    @Test func framesComeInOrderAndEnd() async throws {
        let link = MemoryTransport.pair()
        let frames = try FrameSenderTests.frames(100)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender, options: SenderOptions(policy: .reliable))
        let thread = try Background("the sender") {
            var source = ScriptedSource(frames)
            try sender.run(&source)
        }
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        var numbers: [UInt64] = []
        for try await received in receiver.frames { numbers.append(received.frame.sequence) }
        #expect(numbers == Array(0..<100))
        try thread.value()
        #expect(sender.summary.total.acknowledged == 100)
    }

    @Test func aBrokenConnectionIsThrown() async throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try FrameReceiverTests.send(1...2, over: link.sender)
        link.sender.close()
        var count = 0
        do {
            for try await _ in receiver.frames { count += 1 }
            Issue.record("ended in good order")
        } catch { #expect(error.code == .endedWithoutGoodbye) }
        #expect(count == 2)
    }

    @Test func cancellingTheTaskEndsTheSequenceCleanly() async throws {
        let link = MemoryTransport.pair()
        let (sender, thread) = try FrameReceiverTests.endlessSender(over: link.sender)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let (started, signal) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            var count = 0
            for try await _ in receiver.frames {
                count += 1
                signal.yield()
            }
            return count
        }
        for await _ in started { break }
        task.cancel()
        #expect(try await task.value > 0)
        try thread.value()
        #expect(sender.summary.receivers[0].end == .bye)
    }

    @Test func leavingTheLoopEndsNothing() async throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try FrameReceiverTests.send(1...3, over: link.sender)
        var numbers: [UInt64] = []
        for try await received in receiver.frames {
            numbers.append(received.info.sequence)
            if numbers.count == 2 { break }
        }
        for try await received in receiver.frames {
            numbers.append(received.info.sequence)
            break
        }
        #expect(numbers == [1, 2, 3])
    }
}
