import FrameStreamingCore
import FrameStreamingSystem
import Glibc
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// What a connector finds at its address, and the result that it must report.
enum Opposite: String, CaseIterable, CustomTestStringConvertible {
    case nobody, unresolvedHost, silence, closes, resets, rejectsVersion, rejectsRole, rejectsCapability,
        rejectsMalformed
    case rejectsUnknown, busy, busyBeforeHello, anotherProtocol, ofOurRole, laterVersion, criticalCapability

    var testDescription: String { rawValue }

    var expected: FrameStreamingError.Code {
        switch self {
        case .nobody, .closes, .resets: .connectionFailed
        case .unresolvedHost: .unresolvedHost
        case .silence: .timedOut
        case .busy, .busyBeforeHello: .busy
        case .anotherProtocol: .protocolViolation
        default: .rejected
        }
    }

    var isTransient: Bool {
        switch self {
        case .nobody, .closes, .resets, .unresolvedHost, .silence, .busy, .busyBeforeHello: true
        default: false
        }
    }

    private var reject: UInt16? {
        switch self {
        case .rejectsVersion: 2
        case .rejectsRole: 3
        case .rejectsCapability: 4
        case .rejectsMalformed: 5
        case .rejectsUnknown: 99
        case .busy, .busyBeforeHello: 1
        default: nil
        }
    }

    /// Plays the peer of a connecting sender.
    func answer(_ peer: RawPeer) {
        if self != .busyBeforeHello { _ = peer.receive(WirePrefix.length + Hello.headerLength + 4) }
        var welcome = Hello(role: 2, maximumFrameByteCount: 1000, bootID: [UInt8](repeating: 0, count: 16), stream: "")
        switch self {
        case .closes: break
        case .resets: peer.kill()
        case .anotherProtocol: peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        case .ofOurRole:
            welcome.role = 1
            peer.send(welcome.marshal(.welcome))
        case .laterVersion:
            welcome.version = 9
            welcome.minimumVersion = 9
            peer.send(welcome.marshal(.welcome))
        case .criticalCapability:
            welcome.criticalCapabilities = 1
            peer.send(welcome.marshal(.welcome))
        default:
            var message = Reject(.unspecified, "for a test")
            message.code = reject ?? 0
            peer.send(message.marshal())
        }
        peer.shutdownWriting()
        _ = peer.receiveToEnd()
    }
}

@Suite(.ownThread(atOnce: 4)) struct TCPConnectorTests {
    private func failure(_ connector: TCPConnector, until deadline: Deadline = soon()) -> FrameStreamingError? {
        do throws(FrameStreamingError) {
            _ = try connector.nextTransport(until: deadline)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: Opposite.allCases) func whatMayPassAndWhatDoesNot(_ opposite: Opposite) throws {
        let listener = try RawListener()
        var options = TCPOptions()
        var address = "127.0.0.1:\(listener.port)"
        var playing: Background<Void>?
        switch opposite {
        case .nobody: address = "127.0.0.1:\(try RawListener().port)"
        case .unresolvedHost: address = "nonexistent.invalid:5600"
        case .silence: options.handshakeTimeout = .milliseconds(50)
        default: playing = try Background { opposite.answer(listener.accept()) }
        }
        let connector = try TCPConnector(to: address, role: .sender, options: options)
        let error = try #require(failure(connector))
        #expect(error.code == opposite.expected && error.isTransient == opposite.isTransient, "\(error)")
        #expect(error.subject != nil)
        try playing?.value()
    }

    @Test func aDeadlineBeforeAnAnswerMayPass() throws {
        let listener = try RawListener()
        let connector = try TCPConnector(to: "127.0.0.1:\(listener.port)", role: .sender)
        let error = failure(connector, until: .after(.milliseconds(50)))
        #expect(error?.code == .timedOut && error?.isTransient == true)
    }

    /// No kernel makes a TCP connection to the broadcast address.
    @Test func aHostThatCannotBeReachedMayPass() throws {
        let error = failure(try TCPConnector(to: "255.255.255.255:5600", role: .sender))
        #expect(error?.code == .connectionFailed && error?.isTransient == true, "\(String(describing: error))")
    }

    @Test(arguments: [
        ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENETDOWN, ETIMEDOUT, ECONNRESET, EADDRNOTAVAIL, EMFILE, EACCES,
    ])
    func everyErrorOfConnectMayPass(_ errno: CInt) throws {
        let address = try SocketAddress.resolve(NetworkAddress("127.0.0.1:1", defaultHost: nil), listening: false)[0]
        for timedOut in [false, true] {
            let error = TCPTransport.failure(
                SystemError("connect", code: errno), address, "host:1", timedOut: timedOut)
            #expect(error.isTransient && error.subject == "host:1")
            #expect(error.code == (errno == ETIMEDOUT && timedOut ? .timedOut : .connectionFailed))
        }
    }

    @Test func invalidArgumentsAreRefusedAtOnce() {
        var options = TCPReceiverOptions()
        options.creditAhead = 0
        #expect(code { _ = try TCPConnector(to: "host", role: .sender) } == .invalidArgument)
        #expect(code { _ = try TCPConnector(to: "host:1", role: .receiver(options)) } == .invalidArgument)
        #expect(
            code { _ = try TCPConnector(to: "host:1", role: .receiver, handshake: .automatic) } == .invalidArgument)
    }

    @Test func everyConnectionNamesTheSameSession() throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .automatic)
        let address = "127.0.0.1:\(listener.port)"
        func sessions(_ connector: TCPConnector) throws -> [UInt64] {
            try (0..<2).map { _ in
                let server = try Background { try listener.accept(until: soon()) }
                let client = try connector.nextTransport(until: soon())
                #expect(client.peer.session == connector.session)
                return try server.value().peer.session
            }
        }
        let first = try TCPConnector(to: address, role: .sender)
        let second = try TCPConnector(to: address, role: .sender)
        #expect(try sessions(first) == [first.session, first.session])
        #expect(try sessions(second) == [second.session, second.session])
        #expect(first.session != 0 && second.session != 0 && first.session != second.session)
        var options = TCPSenderOptions()
        options.session = 77
        #expect(try sessions(TCPConnector(to: address, role: .sender(options))) == [77, 77])
        #expect(try TCPConnector(to: address, role: .sender(options), handshake: .text).session == 0)
        #expect(try TCPConnector(to: address, role: .receiver).session == 0)
        #expect(first.address == address)
    }

    @Test func theReceiversMemoryComesWithEachConnection() throws {
        var options = TCPReceiverOptions()
        options.consumed = { _ in 41 }
        let listener = try TCPListener(on: "0", role: .receiver(options), handshake: .binary)
        let connector = try TCPConnector(to: "127.0.0.1:\(listener.port)", role: .sender)
        for number in [41, 43, 45] as [UInt64] {
            let server = try Background { try listener.accept(until: soon()) }
            #expect(try connector.nextTransport(until: soon()).peer.resumedFrom == number)
            let receiver = try server.value()
            #expect(receiver.peer.resumedFrom == number)
            // The sender has closed, which the question about its clock notices first. The
            // frames were consumed nevertheless.
            try? receiver.acknowledge(1)
            try? receiver.acknowledge(2)
        }
    }

    /// A receiver without sessions answers with none, and one that answers with another
    /// session is at fault: neither resumes.
    @Test(arguments: [0, 5] as [UInt64]) func aReceiverOfAnotherSessionResumesNothing(_ session: UInt64) throws {
        let listener = try RawListener()
        let server = try Background {
            let peer = listener.accept()
            _ = peer.receive(WirePrefix.length + Hello.headerLength + 4)
            var welcome = Hello(
                role: 2, maximumFrameByteCount: 1000, bootID: [UInt8](repeating: 0, count: 16), stream: "")
            welcome.session = session
            welcome.lastConsumed = 41
            welcome.creditThrough = 1
            peer.send(welcome.marshal(.welcome))
            return peer
        }
        let transport = try TCPConnector(to: "127.0.0.1:\(listener.port)", role: .sender).nextTransport(until: soon())
        #expect(transport.peer.session == 0 && transport.peer.resumedFrom == 0)
        _ = try server.value()
    }

    @Test func aCancelEndsTheAttemptAndAllLaterOnes() throws {
        let listener = try RawListener()
        var options = TCPOptions()
        options.handshakeTimeout = .seconds(60)
        let connector = try TCPConnector(to: "127.0.0.1:\(listener.port)", role: .sender, options: options)
        let connecting = try Background { try connector.nextTransport(until: .never).peer }
        let peer = listener.accept()
        _ = peer.receive(WirePrefix.length)
        connector.cancel()
        let error = connecting.error()
        #expect(error?.code == .cancelled && error?.isTransient == false)
        #expect(failure(connector, until: .never)?.code == .cancelled)
    }

    @Test func aCancelLeavesTheConnectionThatThereIs() throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary)
        let connector = try TCPConnector(to: "127.0.0.1:\(listener.port)", role: .sender)
        let server = try Background { try listener.accept(until: soon()) }
        let sender = try connector.nextTransport(until: soon())
        connector.cancel()
        try sender.send(.frame(makeFrame(1), FrameInfo(sequence: 1)), until: soon())
        #expect(try server.value().receiveFrame().1.sequence == 1)
    }
}
