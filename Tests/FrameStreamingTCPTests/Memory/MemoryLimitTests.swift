import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// A receiver that has granted credit for more frames than fit into its memory.
@Suite(.ownThread(atOnce: 4)) struct MemoryLimitTests {
    static let large = 1 << 20
    /// Two large frames for one connection.
    static let limit = 2 * large

    private func options(_ budget: MemoryBudget? = nil) throws -> TCPReceiverOptions {
        var options = TCPReceiverOptions()
        options.maximumFrameByteCount = Self.large
        options.memory = try budget ?? MemoryBudget(total: 2 * Self.limit, connection: Self.limit)
        return options
    }

    private func frame(_ sequence: UInt64, _ byteCount: Int) throws -> [UInt8] {
        let frame = try makeFrame(sequence, byteCount: byteCount)
        return FrameHeader(frame, FrameInfo(sequence: sequence)).marshal(metadata: [], imageBytes: byteCount)
            + frame.contents
    }

    private func held(_ transport: TCPTransport) throws -> Int {
        try #require((transport.connection as? BinaryConnection)?.account).held
    }

    /// The next acknowledgement; PINGs before it are passed over.
    private func acknowledgement(_ peer: RawPeer) throws -> Acknowledgement {
        while true {
            let prefix = try WirePrefix(unmarshal: peer.receive(WirePrefix.length)[...])
            let header = peer.receive(prefix.headerLength + prefix.payloadLength)
            if prefix.type == WireType.acknowledgement.rawValue { return try Acknowledgement(header: header[...]) }
        }
    }

    /// A receiver that has granted 16 frames because the first was small, and a peer
    /// that sends 16 of the largest size.
    private func flooded(
        _ options: TCPReceiverOptions
    ) throws -> (FrameReceiver, TCPTransport, RawPeer, sent: Background<Bool>) {
        let (transport, peer) = try makeRawPair(.receiver(options))
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
        peer.send(try frame(1, 100))
        #expect(try receiver.next(until: soon())?.info.sequence == 1)
        #expect(code { _ = try receiver.next(until: .now) } == .timedOut)
        let granted = try acknowledgement(peer)
        #expect(granted.creditThrough == 17)
        let sent = try Background { [self] in
            for sequence in 2...17 as ClosedRange<UInt64> { peer.send(try frame(sequence, Self.large)) }
            return true
        }
        return (receiver, transport, peer, sent)
    }

    @Test func theCreditBeforeTheFirstFrameIsForAQuarterOfTheLargest() throws {
        let (sender, receiver) = try makePair(listening: .receiver(options()))
        #expect(sender.peer.initialCredit == 8 && receiver.peer.initialCredit == 8 && receiver.peer.creditAhead == 16)
        let (other, _) = try makePair()
        #expect(other.peer.initialCredit == UInt64(min(16, max(1, MemoryBudget.standard.connection / (16 << 20)))))
    }

    @Test func whatWasGrantedForSmallFramesHoldsNoMoreThanTheLimitAndLosesNothing() throws {
        let (receiver, transport, peer, _) = try flooded(options())
        try waitUntil { (try? held(transport)) ?? 0 > Self.large }
        var through: UInt64 = 17
        for sequence in 2...17 as ClosedRange<UInt64> {
            let received = try #require(try receiver.next(until: soon()))
            #expect(try held(transport) <= Self.limit)
            #expect(received.info.sequence == sequence)
            #expect(try received.frame.contents == makeFrame(sequence, byteCount: Self.large).contents)
            if sequence > 2 {
                let word = try acknowledgement(peer)
                #expect(word.sequence == sequence - 1 && word.creditThrough >= max(through, sequence))
                through = word.creditThrough
            }
        }
        #expect(code { _ = try receiver.next(until: .now) } == .timedOut)
        #expect(receiver.statistics.limits[.memory] > 0)
        // For large frames the window is the number that fits.
        #expect(try acknowledgement(peer).creditThrough == 19)
        receiver.cancel()
    }

    @Test func closingEndsTheWait() throws {
        let (receiver, transport, peer, _) = try flooded(options())
        try waitUntil { (try? held(transport)) ?? 0 > Self.large }
        let start = MonotonicTime.now
        receiver.cancel()
        #expect(throws: FrameStreamingError.self) { while try receiver.next(until: soon()) != nil {} }
        #expect(MonotonicTime.now.since(start) < .seconds(10))
        #expect(peer.waitForEnd())
    }

    @Test func aGoodbyeGetsItsAnswerFromBehindTheFrames() throws {
        let (receiver, transport, peer, sent) = try flooded(options())
        try waitUntil { (try? held(transport)) ?? 0 > Self.large }
        let answering = try Background {
            while true {
                let prefix = try WirePrefix(unmarshal: peer.receive(WirePrefix.length)[...])
                _ = peer.receive(prefix.headerLength + prefix.payloadLength)
                if prefix.type == WireType.bye.rawValue { break }
            }
            return true
        }
        let finishing = try Background {
            try transport.finish("enough", until: soon())
            return true
        }
        #expect(try answering.value())
        // The frames are not consumed any more but read, because the answer is behind them.
        #expect(try sent.value())
        // There is memory again, but what follows a frame that was dropped would be a gap.
        for _ in 1...2 { _ = try receiver.next(until: soon()) }
        #expect(code { _ = try receiver.next(until: .now) } == .timedOut)
        peer.send(try frame(18, 100))
        peer.send(ByeAcknowledgement(consumedThrough: 0).marshal())
        peer.shutdownWriting()
        #expect(try finishing.value())
        #expect(try held(transport) <= Self.limit)
        #expect(try receiver.next(until: soon()) == nil)
        receiver.cancel()
    }

    @Test func oneConnectionThatHoldsAllLeavesOthersTheirOwn() throws {
        let budget = try MemoryBudget(total: Self.limit, connection: Self.limit)
        let (greedy, transport, _, _) = try flooded(options(budget))
        try waitUntil { (try? held(transport)) ?? 0 > Self.large }
        let (other, peer) = try makeRawPair(.receiver(options(budget)))
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: other, decode: nil)
        // The next frame is not read completely before this one is
        // consumed, so another thread sends.
        let sent = try Background { [self] in
            for sequence in 1...3 as ClosedRange<UInt64> { peer.send(try frame(sequence, Self.large)) }
            return true
        }
        for sequence in 1...3 as ClosedRange<UInt64> {
            #expect(try receiver.next(until: soon())?.info.sequence == sequence)
        }
        #expect(try sent.value())
        greedy.cancel()
        receiver.cancel()
    }
}
