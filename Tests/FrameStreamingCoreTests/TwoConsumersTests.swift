import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// A receiver has one consumer at a time. A second one is refused at once, and the first loses
/// nothing.
@Suite(.ownThread(atOnce: 4)) struct TwoConsumersTests {
    private static func code(_ body: () async throws -> Void) async -> FrameStreamingError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? FrameStreamingError)?.code
        }
    }

    private static func blockingCode(_ body: () throws -> Void) -> FrameStreamingError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? FrameStreamingError)?.code
        }
    }

    /// The numbers of the frames whose acknowledgements have come. All are of consumed frames.
    private static func acknowledged(_ transport: MemoryTransport) throws -> [UInt64] {
        var numbers: [UInt64] = []
        while let word = try FrameReceiverTests.acknowledgement(transport) {
            #expect(word.outcome == .consumed)
            numbers.append(word.sequence)
        }
        return numbers
    }

    /// The ways to be the second.
    enum Second: CaseIterable, Sendable { case iterator, latest, blockingNext, blockingLatest, source }

    private static func ask(_ receiver: FrameReceiver, _ second: Second) async -> FrameStreamingError.Code? {
        switch second {
        case .iterator: await code { for try await _ in receiver.frames {} }
        case .latest: await code { _ = try await receiver.latest() }
        case .blockingNext: blockingCode { _ = try receiver.next() }
        case .blockingLatest: blockingCode { _ = try receiver.latest(until: .now) }
        case .source:
            blockingCode {
                var source = ReceiverSource(receiver)
                _ = try source.next(until: .now)
            }
        }
    }

    @Test(arguments: Second.allCases) func besideAnIterator(second: Second) async throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try FrameReceiverTests.send(1...5, over: link.sender)
        var iterator = receiver.frames.makeAsyncIterator()
        for number in 1...5 as ClosedRange<UInt64> {
            #expect(try await iterator.next()?.info.sequence == number)
            #expect(await Self.ask(receiver, second) == .busy)
        }
        // Nothing was acknowledged on behalf of the second.
        #expect(try Self.acknowledged(link.sender) == [1, 2, 3, 4])
        await receiver.close()
        #expect(try Self.acknowledged(link.sender) == [5])
        withExtendedLifetime(iterator) {}
    }

    @Test(arguments: Second.allCases) func besideACall(second: Second) async throws {
        let link = MemoryTransport.pair()
        let codec = ReceiverEndingTests.HeldCodec()
        let receiver = try FrameReceiver(codec: codec, transport: link.receiver)
        try FrameReceiverTests.send(1...2, over: link.sender)
        let waiting = try Background { try receiver.next()?.info.sequence }
        try codec.waitUntilDecoding()
        #expect(await Self.ask(receiver, second) == .busy)
        codec.mayDecode.update { $0 = true }
        #expect(try waiting.value() == 1)
        #expect(try Self.acknowledged(link.sender).isEmpty)
    }

    @Test func twoLoopsAtOnce() async throws {
        let link = MemoryTransport.pair()
        let frames = try FrameSenderTests.frames(100)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender, options: SenderOptions(policy: .reliable))
        let sending = try Background {
            var source = ScriptedSource(frames)
            return try sender.run(&source).total.acknowledged
        }
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let loops = (0..<2).map { _ in
            Task {
                var numbers: [UInt64] = []
                let code = await Self.code {
                    for try await received in receiver.frames {
                        numbers.append(received.frame.sequence)
                        await Task.yield()
                    }
                }
                return (numbers, code)
            }
        }
        var results: [([UInt64], FrameStreamingError.Code?)] = []
        for loop in loops { results.append(await loop.value) }
        #expect(try sending.value() == 100)
        // The second loop may have begun after the first had ended: then it found the end.
        #expect(results.contains { $0.0 == Array(0..<100) && $0.1 == nil })
        #expect(results.contains { $0.0.isEmpty && ($0.1 == .busy || $0.1 == nil) })
    }

    /// A consumer that was refused cannot end the stream of the one that has its turn.
    @Test func aCancelOfTheSecond() async throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try FrameReceiverTests.send(1...2, over: link.sender)
        var iterator = receiver.frames.makeAsyncIterator()
        #expect(try await iterator.next()?.info.sequence == 1)
        let second = Task {
            while !Task.isCancelled { await Task.yield() }
            for try await _ in receiver.frames { return false }
            return true
        }
        second.cancel()
        #expect(try await second.value)
        #expect(receiver.end == nil)
        #expect(try await iterator.next()?.info.sequence == 2)
        withExtendedLifetime(iterator) {}
    }

    @Test func theTurnEndsWithTheIterator() async throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try FrameReceiverTests.send(1...4, over: link.sender)
        for try await _ in receiver.frames { break }
        #expect(try Self.nextBlocking(receiver) == 2)
        #expect(try await receiver.latest() != nil)
        let iterator = receiver.frames.makeAsyncIterator()
        // Its turn begins with its first request.
        #expect(Self.blockingCode { _ = try receiver.next(until: .now) } != .busy)
        withExtendedLifetime(iterator) {}
    }

    private static func nextBlocking(_ receiver: FrameReceiver) throws -> UInt64? { try receiver.next()?.info.sequence }
}
