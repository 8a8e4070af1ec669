import FrameStreamingCore
import FrameStreamingTCP
import Foundation
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTLS

/// Whoever is not known, or does not keep to TLS, is a typed error on both ends, and nothing is
/// sent or shown.
@Suite(.ownThread(atOnce: 4)) struct FailsClosedTests {
    /// Two sides that must not get on, and the errors that they end with.
    struct Mismatch: Sendable, CustomTestStringConvertible {
        let name: String
        let listening: @Sendable () throws -> TCPSecurity?
        let connecting: @Sendable () throws -> TCPSecurity?
        let atListener: Set<FrameStreamingError.Code>
        let atConnector: Set<FrameStreamingError.Code>
        var testDescription: String { name }
    }

    /// An authority that the other side does not know, and other reasons.
    static let mismatches = [
        Mismatch(
            name: "a wrong key", listening: { try TLSSecurity(keys: [testKey("camera")]).security },
            connecting: { try TLSSecurity(keys: [testKey("camera", byte: 8)]).security },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "an unknown identity", listening: { try TLSSecurity(keys: [testKey("camera")]).security },
            connecting: { try TLSSecurity(keys: [testKey("other")]).security },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "an identity that begins alike", listening: { try TLSSecurity(keys: [testKey("camera")]).security },
            connecting: { try TLSSecurity(keys: [testKey("camera2")]).security },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "an identity that is equal and written differently",
            listening: { try TLSSecurity(keys: [testKey("a\u{323}\u{307}")]).security },
            connecting: { try TLSSecurity(keys: [testKey("a\u{307}\u{323}")]).security },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "a certificate instead of a key", listening: { try TLSSecurity(keys: [testKey("camera")]).security },
            connecting: { try certificateSecurity("camera") },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "a key instead of a certificate", listening: { try certificateSecurity("listener") },
            connecting: { try TLSSecurity(keys: [testKey("camera")]).security },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "no certificate", listening: { try certificateSecurity("listener") },
            connecting: { try certificateSecurity(nil) },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "an expired certificate of the connector", listening: { try certificateSecurity("listener") },
            connecting: { try certificateSecurity("expired") },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "an expired certificate of the listener", listening: { try certificateSecurity("expired") },
            connecting: { try certificateSecurity("camera") },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "a listener with another name", listening: { try certificateSecurity("elsewhere") },
            connecting: { try certificateSecurity("camera") },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "a listener of another authority", listening: { try certificateSecurity("impostor") },
            connecting: { try certificateSecurity("camera") },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "a connector of another authority", listening: { try certificateSecurity("listener") },
            connecting: { try certificateSecurity("impostor") },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "a connector that trusts another authority", listening: { try certificateSecurity("listener") },
            connecting: { try certificateSecurity("camera", authorities: "stranger") },
            atListener: [.notAuthenticated], atConnector: [.notAuthenticated]),
        Mismatch(
            name: "a plain connector", listening: { try TLSSecurity(keys: [testKey("camera")]).security },
            connecting: { nil },
            atListener: [.protocolViolation], atConnector: [.protocolViolation]),
        Mismatch(
            name: "a plain listener", listening: { nil },
            connecting: { try TLSSecurity(keys: [testKey("camera")]).security },
            atListener: [.protocolViolation], atConnector: [.protocolViolation]),
    ]

    @Test(arguments: mismatches, [true, false])
    func aMismatchIsATypedErrorOnBothEnds(_ mismatch: Mismatch, _ connectorSends: Bool) throws {
        let role: TCPRole = connectorSends ? .sender : .receiver
        let listener = try TCPListener(
            on: "0", role: role.other, options: options(try mismatch.listening(), stream: "s"))
        let proxy = try MeddlingProxy(to: listener.port)
        let port = proxy.port
        let connecting = try Background {
            let transport = try TCPTransport.connect(
                to: "127.0.0.1:\(port)", role: role, options: options(try mismatch.connecting(), stream: "s"),
                until: soon())
            _ = try transport.receive(until: soon())
        }
        let atListener = try #require(
            failure { try connectionThatMustFail(listener) }, "the listener has noticed nothing")
        #expect(mismatch.atListener.contains(atListener.code), "\(atListener)")
        let atConnector = try #require(connecting.error())
        #expect(mismatch.atConnector.contains(atConnector.code), "\(atConnector)")
    }

    private func connectionThatMustFail(_ listener: TCPListener) throws {
        let transport = try listener.accept(until: soon())
        transport.close()
        Issue.record("accepted \(transport.peer)")
    }

    @Test(arguments: mismatches) func theTextHandshakeFailsAsWell(_ mismatch: Mismatch) throws {
        let listener = try TCPListener(
            on: "0", role: .receiver, handshake: .text, options: options(try mismatch.listening()))
        let port = listener.port
        let frame = try makeFrame(1)
        let connecting = try Background {
            let transport = try TCPTransport.connect(
                to: "127.0.0.1:\(port)", role: .sender, handshake: .text, options: options(try mismatch.connecting()),
                until: soon())
            defer { transport.close() }
            try transport.send(.frame(frame, FrameInfo(sequence: 1)), until: soon())
            _ = try transport.receive(until: soon())
        }
        let atListener = try #require(
            failure {
                // A plain listener sees the other side's first bytes only when it reads.
                let transport = try listener.accept(until: soon())
                defer { transport.close() }
                guard case .some = try transport.receive(until: soon()) else { return }
                Issue.record("a frame was shown")
            })
        #expect([.notAuthenticated, .protocolViolation, .endedWithoutGoodbye].contains(atListener.code))
        let atConnector = try #require(connecting.error())
        #expect(
            [.notAuthenticated, .protocolViolation, .connectionFailed, .endedWithoutGoodbye, .connectionLost]
                .contains(atConnector.code), "\(atConnector)")
    }

    @Test(arguments: [Handshake.binary, .text, .automatic]) func aSilentPeerHasTheHandshakesTime(
        _ handshake: Handshake
    ) throws {
        let security = try Credentials.key.security(listens: true)
        let listener = try TCPListener(
            on: "0", role: .receiver, handshake: handshake, options: options(security, timeout: .milliseconds(200)))
        let peer = try RawPeer(port: listener.port)
        #expect(failure { try connectionThatMustFail(listener) }?.code == .timedOut)
        let said = peer.receiveToEnd()
        #expect(said.isEmpty)
        // And the other way round.
        let silent = try RawListener()
        let port = silent.port
        let connecting = try Background {
            try TCPTransport.connect(
                to: "127.0.0.1:\(port)", role: .sender,
                options: options(Credentials.key.security(listens: false), timeout: .milliseconds(200)), until: soon())
        }
        let accepted = silent.accept()
        #expect(connecting.error()?.code == .timedOut)
        _ = accepted.socket
    }

    /// HTTP, garbage, and a ClientHello of TLS 1.2 (RFC 5246) without the extension that offers 1.3.
    @Test(arguments: [
        Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8),
        [UInt8](repeating: 0, count: 100),
        [UInt8](repeating: 0xFF, count: 100),
        [0x16, 0x03, 0x01, 0x00, 0x2D, 0x01, 0x00, 0x00, 0x29, 0x03, 0x03] + [UInt8](repeating: 5, count: 32)
            + [0x00, 0x00, 0x02, 0xC0, 0x2F, 0x01, 0x00],
    ]) func foreignBytesAreAViolation(_ bytes: [UInt8]) throws {
        let listener = try TCPListener(
            on: "0", role: .receiver, options: options(try Credentials.key.security(listens: true)))
        let peer = try RawPeer(port: listener.port)
        peer.send(bytes)
        let error = try #require(failure { try connectionThatMustFail(listener) })
        #expect([.protocolViolation, .notAuthenticated].contains(error.code), "\(error)")
        // An alert at most.
        #expect(peer.receiveToEnd().count <= 7)
    }

    /// The same words as without a key.
    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", "HTTP"), ("DESCRIBE rtsp://a/b RTSP/1.0\r\n\r\n", "RTSP"),
        ("SSH-2.0-a\r\n", "SSH"),
    ]) func aForeignProtocolIsNamedOnBothSides(_ bytes: String, _ name: String) throws {
        let listener = try TCPListener(
            on: "0", role: .receiver, options: options(try Credentials.key.security(listens: true)))
        let peer = try RawPeer(port: listener.port)
        peer.send(Array(bytes.utf8))
        let error = try #require(failure { try connectionThatMustFail(listener) })
        #expect(error.code == .protocolViolation && error.message.contains(name), "\(error)")
        // Not even an alert.
        #expect(peer.receiveToEnd().isEmpty)

        let foreign = try RawListener()
        let port = foreign.port
        let connecting = try Background {
            try TCPTransport.connect(
                to: "127.0.0.1:\(port)", role: .sender,
                options: options(Credentials.key.security(listens: false)), until: soon())
        }
        let accepted = foreign.accept()
        accepted.send(Array(bytes.utf8))
        let other = try #require(connecting.error())
        #expect(other.code == .protocolViolation && other.message.contains(name), "\(other)")
    }
}
