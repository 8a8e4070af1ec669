import FrameStreamingCore
import FrameStreamingSystem
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

extension Message? {
    /// Whether a receive on another thread returned no message.
    fileprivate var isEnd: Bool { if case .none = self { true } else { false } }
}

/// How connections end: by a goodbye, by a kill, or by a close of this side.
@Suite(.ownThread(atOnce: 4)) struct EndingTests {
    @Test func aSenderFinishesWhenEverythingWasConsumed() throws {
        let (sender, receiver) = try makePair()
        let acknowledged = try Background {
            var count = 0
            while let message = try sender.receive(until: soon()) {
                if case .acknowledgement = message { count += 1 }
            }
            return count
        }
        for number in 1...UInt64(5) {
            try sender.send(.frame(makeFrame(number), FrameInfo(sequence: number)), until: soon())
        }
        let finishing = try Background { try sender.finish("end of stream", until: soon()) }
        var sequences: [UInt64] = []
        while let message = try receiver.receive(until: soon()) {
            if case .frame(_, let info) = message { sequences.append(info.sequence) }
        }
        #expect(sequences == [1, 2, 3, 4, 5] && receiver.peer.goodbye == "end of stream")
        #expect(!finishing.isDone)
        for sequence in sequences { try receiver.acknowledge(sequence) }
        try receiver.finish("", until: soon())
        try finishing.value()
        #expect(try acknowledged.value() == 5)
        #expect(code { try sender.send(.sourceRestored, until: soon()) } == .closed)
        #expect(try sender.receive(until: soon()).isEnd)
    }

    /// The thread that reads may be busy with a message when the
    /// goodbye begins: no message is lost.
    @Test func whatComesDuringAGoodbyeIsThereAfterwards() throws {
        let (transport, peer) = try makeRawPair(.sender)
        let finishing = try Background { try transport.finish("end", until: soon()) }
        #expect(peer.receive(Bye("end").marshal().count) == Bye("end").marshal())
        for sequence in 1...UInt64(5) {
            peer.send(Acknowledgement(sequence: sequence, creditThrough: sequence).marshal())
        }
        peer.send(ByeAcknowledgement(consumedThrough: 5).marshal())
        peer.shutdownWriting()
        try finishing.value()
        for sequence in 1...UInt64(5) { #expect(try transport.receiveAcknowledgement().sequence == sequence) }
        #expect(try transport.receive(until: soon()).isEnd)
    }

    @Test(arguments: [TCPRole.sender, .receiver]) func eitherSideEndsWithoutAThreadInReceive(_ role: TCPRole) throws {
        let (ending, other) = try makePair(role)
        let finishing = try Background { try ending.finish("enough", until: soon()) }
        #expect(try other.receive(until: soon()).isEnd)
        #expect(other.peer.goodbye == "enough")
        try other.finish("", until: soon())
        try finishing.value()
    }

    @Test func aCloseAfterThePeersGoodbyeAnswersIt() throws {
        let (sender, receiver) = try makePair()
        let finishing = try Background { try sender.finish("end", until: soon()) }
        #expect(try receiver.receive(until: soon()).isEnd)
        receiver.close()
        try finishing.value()
    }

    @Test func bothAtOnce() throws {
        let (sender, receiver) = try makePair()
        let one = try Background { try sender.finish("a", until: soon()) }
        let two = try Background { try receiver.finish("b", until: soon()) }
        try one.value()
        try two.value()
        #expect(sender.peer.goodbye == "b" && receiver.peer.goodbye == "a")
    }

    @Test func aGoodbyeWithoutAnAnswerTimesOut() throws {
        let (transport, peer) = try makeRawPair(.sender)
        #expect(code { try transport.finish("end", until: .after(.milliseconds(50))) } == .timedOut)
        #expect(peer.receiveToEnd() == Bye("end").marshal())
    }

    @Test func anEndWithoutGoodbyeIsAnError() throws {
        let (transport, peer) = try makeRawPair(.receiver)
        peer.shutdownWriting()
        #expect(code { _ = try transport.receive(until: soon()) } == .endedWithoutGoodbye)
        #expect(code { _ = try transport.receive(until: soon()) } == .endedWithoutGoodbye)
        #expect(code { try transport.finish("", until: soon()) } == .endedWithoutGoodbye)
    }

    @Test func anEndInsteadOfAnAnswerIsAnError() throws {
        let (transport, peer) = try makeRawPair(.sender)
        let finishing = try Background { try transport.finish("end", until: soon()) }
        _ = peer.receive(Bye("end").marshal().count)
        peer.shutdownWriting()
        #expect(finishing.error()?.code == .endedWithoutGoodbye)
    }

    @Test func aReceiverThatIsKilledInMidFrame() throws {
        let listener = try TCPListener(on: "0", role: .sender, handshake: .binary)
        let peer = try RawPeer(port: listener.port)
        var hello = Hello(role: 2, maximumFrameByteCount: 16 << 20, bootID: [], stream: "")
        hello.creditThrough = 4
        peer.send(hello.marshal(.hello))
        let sender = try listener.accept(until: soon())
        let frame = try makeFrame(1, byteCount: 15_000_000)
        let receiving = try Background { try sender.receive(until: soon()).isEnd }
        let sending = try Background { try sender.send(.frame(frame, FrameInfo(sequence: 1)), until: soon()) }
        _ = peer.receive(10_000)
        peer.kill()
        #expect(sending.error()?.code == .connectionLost)
        #expect([.connectionLost, .endedWithoutGoodbye].contains(receiving.error()?.code))
    }

    @Test func aSenderThatIsKilledInMidFrame() throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .automatic)
        let peer = try RawPeer(port: listener.port)
        peer.send(Hello(role: 1, maximumFrameByteCount: 0, bootID: [], stream: "").marshal(.hello))
        let receiver = try listener.accept(until: soon())
        peer.send(try golden("FRAME").prefix(60))
        let receiving = try Background { try receiver.receive(until: soon()).isEnd }
        peer.kill()
        #expect(receiving.error()?.code == .connectionLost)
    }

    @Test func aCloseEndsEveryWait() throws {
        let (transport, peer) = try makeRawPair(.sender, bufferSize: 4096)
        let frame = try makeFrame(1, byteCount: 500_000)
        let sending = try Background { try transport.send(.frame(frame, FrameInfo(sequence: 1)), until: .never) }
        // The frame is being sent, and the others wait behind it.
        _ = peer.receive(1)
        let waits = [
            sending,
            try Background { try transport.send(.sourceRestored, until: .never) },
            try Background { _ = try transport.receive(until: .never) },
            try Background { _ = try transport.receive(until: .never) },
            try Background { try transport.finish("", until: .never) },
        ]
        for _ in 0..<3 { transport.close() }
        for wait in waits { #expect(wait.error()?.code == .closed) }
        withExtendedLifetime(peer) {}
    }

    @Test func whatBreaksStaysBroken() throws {
        let (transport, peer) = try makeRawPair(.receiver)
        peer.send([1, 2, 3])
        #expect(code { _ = try transport.receive(until: soon()) } == .protocolViolation)
        peer.send(Bye("").marshal())
        #expect(code { _ = try transport.receive(until: soon()) } == .protocolViolation)
    }
}
