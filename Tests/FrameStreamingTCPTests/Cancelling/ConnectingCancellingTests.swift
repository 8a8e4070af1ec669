import FrameStreamingCore
import FrameStreamingSystem
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// A cancel ends connecting and listening while no peer answers, and no limit of their own is near.
@Suite(.ownThread(atOnce: 4)) struct ConnectingCancellingTests {
    /// Where the peer stops answering an attempt to connect.
    enum Point: CaseIterable { case nobodyAnswers, silentHandshake, halfAWelcome }

    private static func begin(_ point: Point) throws -> (port: Int, hold: Any) {
        switch point {
        case .nobodyAnswers:
            let silent = try SilentAddress()
            return (silent.port, silent)
        case .silentHandshake:
            let listener = try RawListener()
            return (listener.port, listener)
        case .halfAWelcome:
            let listener = try RawListener()
            let hello = Hello(role: TCPRole.receiver.wireCode, maximumFrameByteCount: 1000, bootID: [], stream: "")
            let peer = try Background {
                let peer = listener.accept()
                peer.send(hello.marshal(.welcome).dropLast())
                return peer
            }
            return (listener.port, (listener, peer))
        }
    }

    @Test(arguments: Point.allCases) func anAttempt(point: Point) throws {
        let (port, hold) = try Self.begin(point)
        let cancellation = TCPCancellation()
        let connecting = try Background {
            try TCPTransport.connect(
                to: "127.0.0.1:\(port)", role: .sender, options: .patient, until: .never, cancellation: cancellation)
        }
        cancellation.cancel()
        #expect(connecting.error()?.code == .cancelled)
        withExtendedLifetime(hold) {}
    }

    @Test(arguments: Point.allCases) func aConnector(point: Point) throws {
        let (port, hold) = try Self.begin(point)
        let connector = try TCPConnector(to: "127.0.0.1:\(port)", role: .sender, options: .patient)
        let connecting = try Background { _ = try connector.nextTransport(until: .never) }
        let serving = try Background { try connector.serve { _ in } }
        connector.cancel()
        #expect(connecting.error()?.code == .cancelled)
        try serving.value()
        withExtendedLifetime(hold) {}
    }

    /// The body has returned, and the peer does not answer the goodbye.
    @Test func aConnectorThatSaysGoodbye() throws {
        let listener = try RawListener()
        let connector = try TCPConnector(to: "127.0.0.1:\(listener.port)", role: .receiver, options: .patient)
        let serving = try Background {
            try connector.serve(
                goesOn: false, clock: SystemClock(), pause: connector.pause, patience: longest,
                onWaiting: { _, _ in }
            ) { _ in }
        }
        let peer = listener.accept()
        var welcome = Hello(role: TCPRole.sender.wireCode, maximumFrameByteCount: 1000, bootID: bootID, stream: "")
        welcome.realtimeOffset = realtimeOffset()
        peer.send(welcome.marshal(.welcome))
        // HELLO, and then the goodbye; between them there may be questions about the clock.
        while true {
            let prefix = try WirePrefix(unmarshal: peer.receive(WirePrefix.length)[...])
            _ = peer.receive(prefix.headerLength + prefix.payloadLength)
            if prefix.type == WireType.bye.rawValue { break }
        }
        #expect(!serving.isDone, "it does not wait for the answer")
        connector.cancel()
        try serving.value()
        #expect(peer.waitForEnd(), "the connection stays")
    }

    /// What a peer of a listener has said before it froze.
    enum Peer: CaseIterable { case none, silent, halfAHello }

    private static func freeze(_ peer: Peer, _ port: Int) throws -> RawPeer? {
        if peer == .none { return nil }
        let raw = try RawPeer(port: port)
        if peer == .halfAHello {
            let hello = Hello(role: TCPRole.sender.wireCode, maximumFrameByteCount: 0, bootID: [], stream: "")
            raw.send(hello.marshal(.hello).dropLast())
        }
        return raw
    }

    @Test(arguments: Peer.allCases) func aListener(peer: Peer) throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .automatic, options: .patient)
        let raw = try Self.freeze(peer, listener.port)
        let accepting = try Background { _ = try listener.accept() }
        let serving = try Background { try listener.serve(onError: { _ in }) { _ in } }
        listener.close()
        #expect(accepting.error()?.code == .closed)
        try serving.value()
        withExtendedLifetime(raw) {}
    }

    @Test(arguments: Peer.allCases) func anAcceptor(peer: Peer) throws {
        let acceptor = try TCPAcceptor(on: "0", role: .receiver, options: .patient)
        let raw = try Self.freeze(peer, acceptor.port)
        let accepting = try Background { _ = try acceptor.nextTransport(until: .never) }
        acceptor.cancel()
        #expect(accepting.error()?.code == .cancelled)
        withExtendedLifetime(raw) {}
    }

    /// The sender is back, and the consumer of its earlier connection is still busy.
    @Test func aHandshakeThatWaitsForTheEarlierConnection() throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary, options: .patient)
        var sending = TCPSenderOptions()
        sending.session = 7
        let address = listener.address
        let first = try Background { [sending] in
            try TCPTransport.connect(to: address, role: .sender(sending), options: .patient, until: soon())
        }
        let earlier = try listener.accept(until: soon())
        _ = try first.value()
        let accepting = try Background { _ = try listener.accept() }
        let cancellation = TCPCancellation()
        let again = try Background { [sending] in
            try TCPTransport.connect(
                to: address, role: .sender(sending), options: .patient, until: .never, cancellation: cancellation)
        }
        cancellation.cancel()
        #expect(again.error()?.code == .cancelled)
        listener.close()
        #expect(accepting.error() != nil)
        withExtendedLifetime(earlier) {}
    }
}
