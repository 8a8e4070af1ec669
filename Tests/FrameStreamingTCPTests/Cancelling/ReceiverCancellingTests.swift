import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// A cancel ends what a receiver does while its sender is frozen: it reads nothing and says nothing
/// until the test is over, and no limit of the receiver's own is near.
@Suite(.ownThread(atOnce: 4)) struct ReceiverCancellingTests {
    /// What the sender has said before it froze.
    enum Point: CaseIterable { case silent, behindAFrame, inAHeader, inAnImage }

    private static func frozen(_ point: Point) throws -> (FrameReceiver, RawPeer) {
        let (transport, peer) = try makeRawPair(.receiver, options: .patient)
        let frame = try makeFrame(1)
        let bytes =
            FrameHeader(frame, FrameInfo(sequence: 1)).marshal(metadata: [], imageBytes: frame.byteCount)
            + frame.contents
        switch point {
        case .silent: break
        case .behindAFrame: peer.send(bytes)
        case .inAHeader: peer.send(bytes.prefix(20))
        case .inAnImage: peer.send(bytes.dropLast())
        }
        let receiver = try FrameReceiver(
            codec: IdentityCodec(), transport: transport, decode: nil, patience: .patient)
        return (receiver, peer)
    }

    @Test(arguments: Point.allCases) func aWaitForAFrame(point: Point) throws {
        let (receiver, peer) = try Self.frozen(point)
        if point == .behindAFrame { _ = try receiver.next() }
        let waiting = try Background { try receiver.next() == nil }
        receiver.cancel()
        #expect(waiting.error()?.code == .cancelled)
        #expect(receiver.end == .cancelled)
        #expect(code { _ = try receiver.latest() } == .cancelled)
        withExtendedLifetime(peer) {}
    }

    @Test(arguments: [Goodbye.stopped("stopped"), .complete("enough")]) func aGoodbye(_ goodbye: Goodbye) throws {
        let (receiver, peer) = try Self.frozen(.silent)
        let closing = try Background { receiver.close(goodbye) }
        // The goodbye is sent before the wait for its answer, which a cancel ends.
        let words = Bye(goodbye).marshal()
        #expect(peer.receive(words.count).first == words.first)
        receiver.cancel()
        try closing.value()
    }

    @Test func aGoodbyeThatTheConnectionDoesNotTake() throws {
        let (transport, peer) = try makeRawPair(
            .receiver, options: .patient, bufferSize: 4096, takesRequests: true)
        // The peer takes no bytes: the goodbye waits behind what was sent before.
        var asked = 0
        while (try? transport.send(.request(.pause), until: .now)) != nil, asked < 10_000 { asked += 1 }
        try #require(asked > 0 && asked < 10_000)
        let receiver = try FrameReceiver(
            codec: IdentityCodec(), transport: transport, decode: nil, patience: .patient)
        let closing = try Background { receiver.close() }
        try waitUntil("a goodbye is begun") { receiver.end != nil }
        receiver.cancel()
        try closing.value()
        withExtendedLifetime(peer) {}
    }

    @Test func aRequest() throws {
        let (transport, peer) = try makeRawPair(
            .receiver, options: .patient, bufferSize: 4096, takesRequests: true)
        let receiver = try FrameReceiver(
            codec: IdentityCodec(), transport: transport, decode: nil, patience: .patient)
        let asking = try Background { while true { try receiver.request(.pause) } }
        receiver.cancel()
        #expect(asking.error()?.code == .closed)
        withExtendedLifetime(peer) {}
    }

    @Test(arguments: Point.allCases) func theTaskThatReadsTheFrames(point: Point) throws {
        let (receiver, peer) = try Self.frozen(point)
        let taken = Monitor(0)
        let outcome = Monitor<Result<Void, any Error>?>(nil)
        let task = Task {
            do {
                for try await _ in receiver.frames { taken.update { $0 += 1 } }
                outcome.update { $0 = .success(()) }
            } catch {
                outcome.update { $0 = .failure(error) }
            }
        }
        if point == .behindAFrame { try waitUntil("the frame comes") { taken.withLock { $0 } == 1 } }
        task.cancel()
        try waitUntil("the sequence ends") { outcome.withLock { $0 != nil } }
        // It ends without an error, and the goodbye is sent although no answer comes.
        #expect(throws: Never.self) { try outcome.withLock { try $0?.get() } }
        try waitUntil("a goodbye is said") { receiver.end != nil }
        #expect(receiver.end == .cancelled)
        // The library's thread waits for the answer no longer than for this.
        receiver.cancel()
        withExtendedLifetime(peer) {}
    }

    /// The text handshake has no goodbye: an end closes the connection.
    @Test func aTextSenderThatIsFrozen() throws {
        let (transport, peer) = try makeRawPair(.receiver, handshake: .text, options: .patient)
        let receiver = try FrameReceiver(
            codec: IdentityCodec(), transport: transport, decode: nil, patience: .patient)
        peer.send("1000")
        let waiting = try Background { try receiver.next() == nil }
        receiver.cancel()
        #expect(waiting.error()?.code == .cancelled)
        withExtendedLifetime(peer) {}
    }
}
