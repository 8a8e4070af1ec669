import FrameStreamingCore
import FrameStreamingSystem
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Strangers at a listener's port.
@Suite(.ownThread(atOnce: 4)) struct PlacesTests {
    /// A receiver that serves every peer, and remembers the errors.
    private final class Server: Sendable {
        let listener: TCPListener
        private let errors = Monitor<[FrameStreamingError]>([])
        private let serving: Background<Void>

        init(_ maximum: Int, _ options: TCPOptions, on address: String = "0") throws {
            let listener = try TCPListener(on: address, role: .receiver, handshake: .automatic, options: options)
            let errors = errors
            self.listener = listener
            serving = try Background {
                try listener.serve(maximumConnections: maximum) { error in
                    if let error = error as? FrameStreamingError { errors.update { $0.append(error) } }
                } _: { transport in
                    while try transport.receive(until: .never) != nil {}
                    try transport.finish("", until: soon())
                }
            }
        }

        /// Waits for an error that names this limit.
        func error(naming limit: PeerLimit) throws -> FrameStreamingError {
            try #require(
                errors.wait(until: soon().nanoseconds) { errors in errors.first { $0.limit == limit } },
                "no error names \(limit)")
        }

        func connect() throws -> TCPTransport {
            try TCPTransport.connect(to: "127.0.0.1:\(listener.port)", role: .sender, until: soon())
        }

        func close() throws {
            listener.close()
            try serving.value()
        }
    }

    private func options(_ change: (inout TCPOptions) -> Void = { _ in }) -> TCPOptions {
        var options = TCPOptions()
        // No silent peer of these tests is ended for its time.
        options.handshakeTimeout = .seconds(600)
        change(&options)
        return options
    }

    @Test func silentPeersTakeNoPlace() throws {
        let server = try Server(1, options())
        let silent = try (0..<20).map { _ in try RawPeer(port: server.listener.port) }
        try waitUntil { server.listener.statistics.handshakes == 20 }
        let sender = try server.connect()
        let figures = server.listener.statistics
        #expect(figures.connections == 1 && figures.handshakes == 20 && figures.accepted == 21)
        #expect(figures.failed == 0 && figures.limits.isEmpty)
        // The place is taken now.
        #expect(code { _ = try server.connect() } == .busy)
        let error = try server.error(naming: .connections)
        #expect(error.code == .busy && error.message.contains("1 connections are the limit"))
        #expect(server.listener.statistics.limits[.connections] == 1)
        withExtendedLifetime(silent) {}
        sender.close()
        try server.close()
        #expect(server.listener.statistics.connections == 0 && server.listener.statistics.handshakes == 0)
    }

    /// A peer that introduces itself when others have taken the places meanwhile is refused with that reason.
    @Test func aPlaceThatIsTakenDuringTheHandshakeIsRefused() throws {
        let server = try Server(1, options())
        let slow = try RawPeer(port: server.listener.port)
        let text = try RawPeer(port: server.listener.port)
        try waitUntil { server.listener.statistics.handshakes == 2 }
        let sender = try server.connect()
        slow.send(try golden("HELLO"))
        let answer = try WirePrefix(unmarshal: slow.receive(WirePrefix.length)[...])
        #expect(answer.type == WireType.reject.rawValue)
        let reject = try Reject(
            header: slow.receive(answer.headerLength)[...], payload: slow.receive(answer.payloadLength)[...])
        #expect(reject.error.code == .busy && reject.text.contains("1 connections are the limit"), "\(reject)")
        #expect(slow.waitForEnd())
        text.send("4, ")
        #expect(text.receiveToEnd() == [])
        try waitUntil { server.listener.statistics.limits[.connections] == 2 }
        #expect(server.listener.statistics.failed == 2)
        sender.close()
        try server.close()
    }

    @Test func theOldestHandshakeEndsForANewOne() throws {
        let server = try Server(16, options { $0.maximumHandshakes = 2 })
        let silent = try (0..<3).map { number in
            let peer = try RawPeer(port: server.listener.port)
            try waitUntil { server.listener.statistics.accepted == number + 1 }
            return peer
        }
        #expect(silent[0].waitForEnd())
        let error = try server.error(naming: .handshakes)
        #expect(error.code == .limitExceeded && error.message.contains("more than 2 were in progress"), "\(error)")
        #expect(error.subject?.hasPrefix("127.0.0.1:") == true)
        let figures = server.listener.statistics
        #expect(figures.handshakes == 2 && figures.limits[.handshakes] == 1 && figures.failed == 1)
        let sender = try server.connect()
        #expect(server.listener.statistics.connections == 1)
        sender.close()
        try server.close()
    }

    @Test func strangersOfOneAddressEndEachOther() throws {
        let server = try Server(16, options { $0.maximumHandshakes = 3 }, on: "127.0.0.1:0")
        let port = server.listener.port
        let slow = try RawPeer(port: port, from: "127.0.0.9")
        try waitUntil { server.listener.statistics.accepted == 1 }
        let strangers = try (2...9).map { number in
            let peer = try RawPeer(port: port, from: "127.0.0.2")
            try waitUntil { server.listener.statistics.accepted == number }
            return peer
        }
        slow.send(try golden("HELLO"))
        let answer = try WirePrefix(unmarshal: slow.receive(WirePrefix.length)[...])
        #expect(answer.type == WireType.welcome.rawValue)
        slow.kill()
        withExtendedLifetime(strangers) {}
        try server.close()
    }

    @Test func anAddressHasOnlySoManyPlaces() throws {
        let server = try Server(16, options { $0.maximumConnectionsPerAddress = 1 }, on: "127.0.0.1:0")
        let sender = try server.connect()
        #expect {
            try server.connect()
        } throws: {
            let error = $0 as? FrameStreamingError
            return error?.code == .busy && error?.message.contains("of one address") == true
        }
        let error = try server.error(naming: .connectionsPerAddress)
        #expect(error.code == .busy && error.isTransient)
        let other = try RawPeer(port: server.listener.port, from: "127.0.0.2")
        other.send(try golden("HELLO"))
        let answer = try WirePrefix(unmarshal: other.receive(WirePrefix.length)[...])
        #expect(answer.type == WireType.welcome.rawValue)
        #expect(server.listener.statistics.limits[.connectionsPerAddress] == 1)
        other.kill()
        sender.close()
        try server.close()
    }

    @Test func whatAPeerDoesInItsHandshakeIsCountedByItsLimit() throws {
        var options = TCPOptions()
        options.handshakeTimeout = .milliseconds(50)
        let server = try Server(16, options)
        let silent = try RawPeer(port: server.listener.port)
        #expect(silent.waitForEnd())
        #expect(try server.error(naming: .handshakeTime).code == .timedOut)
        #expect(server.listener.statistics.limits[.handshakeTime] == 1)
        try server.close()
    }

    @Test func aNameThatIsTooLongIsCounted() throws {
        let server = try Server(16, options())
        let long = try RawPeer(port: server.listener.port)
        var hello = Hello(
            role: TCPRole.sender.wireCode, maximumFrameByteCount: 1, bootID: [UInt8](repeating: 3, count: 16),
            stream: "")
        hello.realtimeOffset = .max
        var bytes = hello.marshal(.hello)
        // The length of the name, behind prefix and header.
        bytes[WirePrefix.length + Hello.headerLength] = 1
        bytes[WirePrefix.length + Hello.headerLength + 1] = 1
        long.send(bytes)
        #expect(long.waitForEnd())
        #expect(try server.error(naming: .lengths).code == .protocolViolation)
        #expect(server.listener.statistics.limits[.lengths] == 1)
        try server.close()
    }

    @Test func anAcceptorIsNotLockedOutEither() throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender, options: options { $0.maximumHandshakes = 2 })
        let silent = try (0..<4).map { _ in try RawPeer(port: acceptor.port) }
        try waitUntil { acceptor.statistics.accepted == 4 }
        let receiver = try TCPTransport.connect(to: "127.0.0.1:\(acceptor.port)", role: .receiver, until: soon())
        _ = try acceptor.nextTransport(until: soon())
        #expect(acceptor.statistics.limits[.handshakes] >= 2)
        withExtendedLifetime(silent) {}
        receiver.close()
        acceptor.cancel()
    }

    @Test func limitsThatMakeNoSenseAreRefused() {
        for wrong in [
            options { $0.maximumHandshakes = 0 }, options { $0.maximumHandshakes = .min },
            options { $0.maximumConnectionsPerAddress = 0 }, options { $0.maximumConnectionsPerAddress = -1 },
        ] {
            #expect(code { _ = try TCPListener(on: "0", role: .receiver, options: wrong) } == .invalidArgument)
        }
    }
}
