import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// The async forms of a receiver's calls, where the sender is frozen: it answers nothing, and no
/// limit but the one that a test sets is near.
@Suite(.ownThread(atOnce: 1), .timeLimit(.minutes(30))) struct AsyncReceiverTests {
    private static func frozen(
        afterStop: Duration = longest, takesRequests: Bool = false
    ) throws -> (FrameReceiver, RawPeer) {
        let (transport, peer) = try makeRawPair(
            .receiver, options: .patient, takesRequests: takesRequests, answersRequests: takesRequests)
        var patience = ReceiverPatience.patient
        patience.afterStop = afterStop
        let receiver = try FrameReceiver(
            codec: IdentityCodec(), transport: transport, decode: nil, patience: patience)
        return (receiver, peer)
    }

    private static func sendFrame(_ number: UInt64, to peer: RawPeer) throws {
        let frame = try makeFrame(number)
        peer.send(
            FrameHeader(frame, FrameInfo(sequence: number)).marshal(metadata: [], imageBytes: frame.byteCount)
                + frame.contents)
    }

    private static func waitForCancel() async { while !Task.isCancelled { await Task.yield() } }

    /// A cancel ends the wait of `close`, and not the goodbye.
    @Test func aCancelDuringClose() async throws {
        let (receiver, peer) = try Self.frozen()
        let task = Task { await receiver.close() }
        let words = Bye(.complete("receiver ended")).marshal()
        #expect(peer.receive(words.count) == words)
        task.cancel()
        await task.value
        // The thread still waits for the answer, and so does another call. A cancel of the receiver
        // ends both.
        let again = Task { await receiver.close() }
        receiver.cancel()
        await again.value
        try await AsyncFormsTests.expectNoThreads()
    }

    /// A cancelled task can say goodbye. It waits as long as after a stop, whatever it says.
    @Test(arguments: [Goodbye.complete("enough"), .failed("no disk"), .stopped("")])
    func aCloseInACancelledTask(goodbye: Goodbye) async throws {
        let (receiver, peer) = try Self.frozen(afterStop: .milliseconds(50))
        let task = Task {
            await Self.waitForCancel()
            await receiver.close(goodbye)
        }
        task.cancel()
        await task.value
        let words = Bye(goodbye).marshal()
        #expect(peer.receive(words.count) == words)
        try await AsyncFormsTests.expectNoThreads()
    }

    @Test func aCancelOfTheReceiverEndsTheCloseOfACancelledTask() async throws {
        let (receiver, peer) = try Self.frozen()
        let task = Task {
            await Self.waitForCancel()
            await receiver.close()
        }
        task.cancel()
        let words = Bye(.complete("receiver ended")).marshal()
        #expect(peer.receive(words.count) == words)
        receiver.cancel()
        await task.value
        try await AsyncFormsTests.expectNoThreads()
    }

    /// The goodbye of a cancelled loop is under way when the loop has ended: `close` waits for it.
    @Test func aCloseAfterACancelledLoop() async throws {
        let (receiver, peer) = try Self.frozen()
        let closed = Monitor(false)
        let task = Task {
            for try await _ in receiver.frames {}
            await receiver.close()
            closed.update { $0 = true }
        }
        task.cancel()
        let words = Bye(.stopped("receiver stopped")).marshal()
        #expect(peer.receive(words.count) == words)
        #expect(closed.withLock { !$0 })
        peer.send(ByeAcknowledgement(consumedThrough: 0).marshal())
        peer.shutdownWriting()
        try await task.value
        #expect(receiver.end == .cancelled)
        try await AsyncFormsTests.expectNoThreads()
    }

    @Test func aCancelledRequestLeavesTheStreamAlone() async throws {
        let (receiver, peer) = try Self.frozen(takesRequests: true)
        try #require(receiver.peer.abilities.contains(.requestAnswers))
        let task = Task { try await receiver.request(.pause) }
        let words = WireRequest(.pause).marshal()
        #expect(peer.receive(words.count) == words)
        task.cancel()
        let error = await #expect(throws: FrameStreamingError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(receiver.end == nil)
        // What comes later finds the stream as it was.
        try Self.sendFrame(1, to: peer)
        #expect(try await receiver.latest()?.info.sequence == 1)
        receiver.cancel()
        try await AsyncFormsTests.expectNoThreads()
    }

    @Test func aRequestInACancelledTaskIsNotSent() async throws {
        let (receiver, peer) = try Self.frozen(takesRequests: true)
        let task = Task {
            await Self.waitForCancel()
            try await receiver.request(.pause)
        }
        task.cancel()
        let error = await #expect(throws: FrameStreamingError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        receiver.cancel()
        #expect(peer.receiveToEnd().isEmpty)
    }

    @Test func aCancelledWaitForTheNewest() async throws {
        let (receiver, peer) = try Self.frozen()
        try Self.sendFrame(1, to: peer)
        #expect(try await receiver.latest()?.info.sequence == 1)
        let task = Task { try await receiver.latest() == nil }
        // The request for the next frame acknowledges the one before.
        let word = peer.receive(1)
        #expect(word == [WireType.acknowledgement.rawValue])
        task.cancel()
        #expect(try await task.value)
        try await AsyncFormsTests.wait("no goodbye is said") { receiver.end == .cancelled }
        #expect(try await receiver.latest() == nil)
        receiver.cancel()
        try await AsyncFormsTests.expectNoThreads()
    }

    @Test func theNewestAndTheDeadline() async throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver, decode: nil)
        let error = await #expect(throws: FrameStreamingError.self) { try await receiver.latest(until: .now) }
        #expect(error?.code == .timedOut)
        for number in 1...3 as ClosedRange<UInt64> {
            try link.sender.send(.frame(try makeFrame(number), FrameInfo(sequence: number)), until: soon())
        }
        try await AsyncFormsTests.wait("the frames do not arrive") { receiver.statistics.bytes > 0 }
        link.sender.close()
        try await AsyncFormsTests.wait("no end") { receiver.end != nil }
        #expect(try await receiver.latest()?.info.sequence == 3)
        #expect(receiver.statistics.skippedHere == 2)
        try await AsyncFormsTests.expectNoThreads()
    }

    /// Far more calls at once than there are threads for tasks. All of them wait until the last one
    /// has begun.
    @Test func manyCallsAtOnce() async throws {
        let frozen = try (0..<8).map { _ in try Self.frozen(takesRequests: true) }
        try await withThrowingDiscardingTaskGroup { group in
            for (receiver, _) in frozen {
                group.addTask { await #expect(throws: FrameStreamingError.self) { try await receiver.request(.pause) } }
                group.addTask { await receiver.close() }
            }
            try await AsyncFormsTests.wait("not all have begun") { frozen.allSatisfy { $0.0.end != nil } }
            for (receiver, _) in frozen { receiver.cancel() }
        }
        try await AsyncFormsTests.expectNoThreads()
    }
}
