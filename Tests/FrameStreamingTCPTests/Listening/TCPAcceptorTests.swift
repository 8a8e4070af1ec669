import FrameStreamingCore
import FrameStreamingSystem
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

@Suite(.ownThread(atOnce: 4)) struct TCPAcceptorTests {
    @Test func onePeerAfterAnotherInOneSession() throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        #expect(acceptor.session != 0 && acceptor.port > 0 && acceptor.address == "127.0.0.1:\(acceptor.port)")
        for _ in 0..<3 {
            let server = try Background { try acceptor.nextTransport(until: soon()).peer.session }
            let client = try TCPTransport.connect(to: acceptor.address, role: .receiver, until: soon())
            #expect(try server.value() == acceptor.session && client.peer.session == acceptor.session)
        }
    }

    @Test func whatTheReceiverConsumedComesWithItsHello() throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        for (session, expected) in [(acceptor.session, 41), (acceptor.session &+ 1, 0), (0, 0)] as [(UInt64, UInt64)] {
            let server = try Background { try acceptor.nextTransport(until: soon()).peer.resumedFrom }
            var options = TCPReceiverOptions()
            options.lastSession = session
            options.consumed = { $0 == session ? 41 : 0 }
            let client = try TCPTransport.connect(
                to: acceptor.address, role: .receiver(options), until: soon())
            #expect(try server.value() == expected && client.peer.resumedFrom == expected)
        }
    }

    @Test func silenceAndRubbishAreReportedAndDoNotEndTheWait() throws {
        var options = TCPOptions()
        options.handshakeTimeout = .milliseconds(50)
        let errors = Monitor<[FrameStreamingError.Code]>([])
        let acceptor = try TCPAcceptor(on: "0", role: .sender, options: options) { error in
            errors.update { $0.append(error.code) }
        }
        let server = try Background { try acceptor.nextTransport(until: soon()).peer.address }
        func waitForErrors(_ count: Int) throws {
            let enough: Bool? = errors.wait(until: soon().nanoseconds) { $0.count == count ? true : nil }
            #expect(enough == true)
        }
        let silent = try RawPeer(port: acceptor.port)
        try waitForErrors(1)
        let rubbish = try RawPeer(port: acceptor.port)
        rubbish.send("GET / HTTP/1.1\r\n\r\n")
        try waitForErrors(2)
        let gone = try RawPeer(port: acceptor.port)
        gone.kill()
        try waitForErrors(3)
        let ofOurRole = code { _ = try TCPTransport.connect(to: acceptor.address, role: .sender, until: soon()) }
        #expect(ofOurRole == .rejected)
        try waitForErrors(4)
        #expect(!server.isDone)
        let client = try TCPTransport.connect(to: acceptor.address, role: .receiver, until: soon())
        #expect(try server.value().hasPrefix("127.0.0.1:") && client.peer.session == acceptor.session)
        let codes = errors.withLock { $0 }
        #expect(codes[0] == .timedOut && codes[1] == .protocolViolation && codes[3] == .rejected)
        #expect([.connectionLost, .endedWithoutGoodbye].contains(codes[2]), "\(codes[2])")
        _ = silent
    }

    @Test func silentStrangersDelayNoPeer() throws {
        var options = TCPOptions()
        options.handshakeTimeout = .seconds(3600)
        let acceptor = try TCPAcceptor(on: "0", role: .sender, options: options)
        let server = try Background { try acceptor.nextTransport(until: soon()).peer.session }
        let strangers = try (0..<5).map { _ in try RawPeer(port: acceptor.port) }
        // One peer has sent the start of a handshake.
        strangers[2].send(try golden("HELLO").prefix(20))
        let client = try TCPTransport.connect(to: acceptor.address, role: .receiver, until: soon())
        #expect(try server.value() == client.peer.session)
        _ = strangers
    }

    @Test func aSecondPeerIsRefusedUntilTheFirstHasEnded() throws {
        let errors = Monitor<[FrameStreamingError.Code]>([])
        let acceptor = try TCPAcceptor(on: "0", role: .sender) { error in errors.update { $0.append(error.code) } }
        // A peer may connect before a call waits for it.
        let first = try TCPTransport.connect(to: acceptor.address, role: .receiver, until: soon())
        func turnedAway() throws {
            let error = #expect(throws: FrameStreamingError.self) {
                _ = try TCPTransport.connect(to: acceptor.address, role: .receiver, until: soon())
            }
            #expect(error?.code == .busy && error?.message.contains("one peer at a time") == true, "\(error as Any)")
        }
        try turnedAway()
        let taken = try acceptor.nextTransport(until: soon())
        try turnedAway()
        #expect(errors.wait(until: soon().nanoseconds) { $0 == [.busy, .busy] ? true : nil } == true)
        try taken.send(.frame(makeFrame(1), FrameInfo(sequence: 1)), until: soon())
        #expect(try first.receiveFrame().1.sequence == 1)
        taken.close()
        let next = try TCPTransport.connect(to: acceptor.address, role: .receiver, until: soon())
        #expect(try acceptor.nextTransport(until: soon()).peer.session == next.peer.session)
    }

    @Test func aSenderThatIsBackTakesThePlaceOfItsOwnConnection() throws {
        let acceptor = try TCPAcceptor(on: "0", role: .receiver)
        var options = TCPSenderOptions()
        options.session = 7
        let first = try TCPTransport.connect(to: acceptor.address, role: .sender(options), until: soon())
        let taken = try acceptor.nextTransport(until: soon())
        // The receiving side learns that the connection is over, and takes the next.
        let server = try Background {
            _ = try? taken.receive(until: soon())
            taken.close()
            return try acceptor.nextTransport(until: soon()).peer.session
        }
        _ = try TCPTransport.connect(to: acceptor.address, role: .sender(options), until: soon())
        #expect(try server.value() == 7)
        _ = first
    }

    @Test func textThatComesSecondIsClosed() throws {
        let errors = Monitor<[FrameStreamingError.Code]>([])
        let acceptor = try TCPAcceptor(on: "0", role: .sender, handshake: .text) { error in
            errors.update { $0.append(error.code) }
        }
        let first = try RawPeer(port: acceptor.port)
        let taken = try acceptor.nextTransport(until: soon())
        let second = try RawPeer(port: acceptor.port)
        #expect(errors.wait(until: soon().nanoseconds) { $0 == [.busy] ? true : nil } == true)
        #expect(second.receiveOnce(1).isEmpty)
        taken.close()
        #expect(first.receiveOnce(1).isEmpty)
        _ = try RawPeer(port: acceptor.port)
        _ = try acceptor.nextTransport(until: soon())
    }

    @Test func aDeadlineEndsTheWaitAlone() throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        #expect(code { _ = try acceptor.nextTransport(until: .after(.milliseconds(20))) } == .timedOut)
        // A peer that is silent in the handshake does not delay the caller beyond its deadline.
        let silent = try RawPeer(port: acceptor.port)
        #expect(code { _ = try acceptor.nextTransport(until: .after(.milliseconds(20))) } == .timedOut)
        let server = try Background { try acceptor.nextTransport(until: soon()).peer }
        let client = try TCPTransport.connect(to: acceptor.address, role: .receiver, until: soon())
        #expect(try server.value().handshake == .binary)
        _ = silent
        client.close()
    }

    @Test(arguments: [false, true]) func aCancelEndsTheWait(_ inHandshake: Bool) throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        let server = try Background { try acceptor.nextTransport(until: .never).peer }
        let peer = inHandshake ? try RawPeer(port: acceptor.port) : nil
        peer?.send(try golden("HELLO").prefix(20))
        acceptor.cancel()
        #expect(server.error()?.code == .cancelled)
        #expect(code { _ = try acceptor.nextTransport(until: .never) } == .cancelled)
    }

    @Test func aCancelLeavesTheConnectionThatThereIs() throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        let server = try Background { try acceptor.nextTransport(until: soon()) }
        let client = try TCPTransport.connect(to: acceptor.address, role: .receiver, until: soon())
        let sender = try server.value()
        acceptor.cancel()
        try sender.send(.frame(makeFrame(1), FrameInfo(sequence: 1)), until: soon())
        #expect(try client.receiveFrame().1.sequence == 1)
    }

    @Test func aListeningSocketThatBreaksIsReportedAndEndsTheWait() throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        let server = try Background { try acceptor.nextTransport(until: .never).peer }
        acceptor.listener.descriptor.withLock { $0 }?.shutdownBoth()
        let error = server.error()
        #expect(error?.code == .closed && error?.errno == Errno.invalid, "\(error as Any)")
        #expect(error?.subject == acceptor.address)
        #expect(code { _ = try acceptor.nextTransport(until: .never) } == .closed)
    }

    @Test func textHasNoSession() throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender, handshake: .text)
        #expect(acceptor.session == 0)
        #expect(code { _ = try TCPAcceptor(on: "0", role: .sender, handshake: .automatic) } == .invalidArgument)
        #expect(code { _ = try TCPAcceptor(on: acceptor.address, role: .sender) } == .addressInUse)
    }
}
