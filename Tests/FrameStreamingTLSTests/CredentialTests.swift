import FrameStreamingCore
import FrameStreamingTCP
import Glibc
import TestThreads
import Testing

@testable import FrameStreamingTLS

/// What a credential permits, and what a reload changes.
@Suite(.ownThread(atOnce: 4)) struct CredentialTests {
    private func connect(
        _ connecting: TCPSecurity, to listening: TCPSecurity, stream: String = "", role: TCPRole = .sender
    ) throws -> (TCPTransport, TCPTransport) {
        try makePair(
            role, connecting: options(connecting, stream: stream), listening: options(listening, stream: stream))
    }

    @Test func aListenerHasOneKeyForEachPeer() throws {
        let keys = try [testKey("a", byte: 1), testKey("b", byte: 2, role: .sender), testKey("c", byte: 3)]
        let listening = try TLSSecurity(keys: keys).security
        for key in keys {
            let (connector, listener) = try connect(TLSSecurity(keys: [key]).security, to: listening)
            #expect(listener.peer.identity == key.identity)
            connector.close()
            listener.close()
        }
    }

    /// A holder of a key changes the limits in its own file: the listener's count.
    @Test(
        arguments: [
            (PreSharedKey.Role.receiver, nil, "door"), (nil, ["gate"], "door"), (nil, ["gate"], ""),
            (PreSharedKey.Role.sender, ["gate"], "door"),
        ] as [(PreSharedKey.Role?, [String]?, String)])
    func theListenersLimitsCount(_ role: PreSharedKey.Role?, _ streams: [String]?, _ stream: String) throws {
        let listener = try TCPListener(
            on: "0", role: .receiver,
            options: options(TLSSecurity(keys: [testKey("a", role: role, streams: streams)]).security))
        let port = listener.port
        let connecting = try Background {
            try TCPTransport.connect(
                to: "127.0.0.1:\(port)", role: .sender,
                options: options(TLSSecurity(keys: [testKey("a")]).security, stream: stream), until: soon())
        }
        #expect(failure { _ = try listener.accept(until: soon()) }?.code == .rejected)
        let error = try #require(connecting.error())
        #expect(error.code == .rejected && error.message.contains("the key of a is for"))
    }

    @Test func aCredentialThatDoesNotFitIsNoticedBeforeAnythingIsDone() throws {
        let two = try TLSSecurity(keys: [testKey("a"), testKey("b")]).security
        #expect(
            failure { _ = try TCPConnector(to: "127.0.0.1:1", role: .sender, options: options(two)) }?.code
                == .invalidArgument)
        let limited = try TLSSecurity(keys: [testKey("a", role: .sender, streams: ["door"])]).security
        #expect(
            failure {
                _ = try TCPConnector(to: "127.0.0.1:1", role: .receiver, options: options(limited, stream: "door"))
            }?.code == .notPermitted)
        #expect(
            failure { _ = try TCPConnector(to: "127.0.0.1:1", role: .sender, options: options(limited)) }?.code
                == .notPermitted)
        #expect(
            failure {
                _ = try TCPConnector(to: "127.0.0.1:1", role: .sender, options: options(limited, stream: "door"))
            } == nil)
        #expect(failure { _ = try TLSSecurity(keys: []) }?.code == .invalidArgument)
        #expect(failure { _ = try TLSSecurity(keys: [testKey("a"), testKey("a", byte: 8)]) }?.code == .invalidArgument)
        let withoutOwn = try certificateSecurity(nil)
        #expect(
            failure { _ = try TCPListener(on: "0", role: .sender, options: options(withoutOwn)) }?.code
                == .invalidArgument)
    }

    @Test func aReloadChangesNewConnectionsOnly() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("camera.key")
        let old = try PreSharedKey.generate(identity: "camera")
        try old.write(newFile: path)
        let tls = try TLSSecurity(keyFiles: [path])
        let oldSecurity = try TLSSecurity(keys: [old]).security
        let (sender, receiver) = try connect(oldSecurity, to: tls.security)

        // A file that cannot be used changes nothing.
        try #require(unsafe chmod(path, 0o644) == 0)
        #expect(failure { try tls.reload() }?.code == .notPermitted)
        let (second, secondEnd) = try connect(oldSecurity, to: tls.security)
        second.close()
        secondEnd.close()

        try #require(unsafe unlink(path) == 0)
        let new = try PreSharedKey.generate(identity: "camera")
        try new.write(newFile: path)
        try tls.reload()
        let listener = try TCPListener(on: "0", role: .receiver, options: options(tls.security))
        let port = listener.port
        let connecting = try Background {
            try TCPTransport.connect(
                to: "127.0.0.1:\(port)", role: .sender, options: options(oldSecurity), until: soon())
        }
        #expect(failure { _ = try listener.accept(until: soon()) }?.code == .notAuthenticated)
        #expect(connecting.error()?.code == .notAuthenticated)
        let (third, thirdEnd) = try connect(TLSSecurity(keys: [new]).security, to: tls.security)
        third.close()
        thirdEnd.close()

        // The connection of before goes on.
        try sender.send(.frame(makeFrame(1), FrameInfo(sequence: 1)), until: soon())
        guard case .frame(let frame, _) = try receiver.receive(until: soon()) else {
            Issue.record("no frame")
            return
        }
        #expect(frame.isPattern(1))
        sender.close()
        receiver.close()
    }

    @Test func filesThatAreNoCertificatesAreTypedErrors() throws {
        let directory = try TemporaryDirectory()
        let key = directory.path("open.key")
        #expect(
            failure {
                _ = try TLSSecurity(certificates: TLSCertificates(authorities: directory.path("none.pem")))
            }?.code == .notFound)
        #expect(
            failure {
                _ = try TLSSecurity(certificates: TLSCertificates(certificate: certificatePath("camera.pem")))
            }?.code == .invalidArgument)
        var files = TLSCertificates(certificate: certificatePath("camera.pem"), privateKey: key)
        #expect(failure { _ = try TLSSecurity(certificates: files) }?.code == .notFound)
        files.privateKey = certificatePath("camera.key")
        try #require(unsafe chmod(certificatePath("camera.key"), 0o644) == 0)
        #expect(failure { _ = try TLSSecurity(certificates: files) }?.code == .notPermitted)
    }
}
