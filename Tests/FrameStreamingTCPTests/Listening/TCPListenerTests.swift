import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import Foundation
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// A receiver that serves every peer, acknowledges everything, and remembers how connections ended.
private final class Server: Sendable {
    let listener: TCPListener
    private let endings = Monitor<[FrameStreamingError]>([])
    private let serving: Background<Void>

    init(maximumConnections: Int = 16, handshake: Handshake = .automatic, options: TCPOptions = TCPOptions()) throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: handshake, options: options)
        self.listener = listener
        let endings = endings
        serving = try Background {
            try listener.serve(maximumConnections: maximumConnections) { error in
                if let error = error as? FrameStreamingError {
                    endings.update { $0.append(error) }
                } else {
                    Issue.record(error)
                }
            } _: { transport in
                while let message = try transport.receive(until: .never) {
                    guard case .frame(_, let info) = message else { continue }
                    try transport.send(
                        .acknowledgement(Acknowledgement(sequence: info.sequence, creditThrough: info.sequence + 16)),
                        until: soon())
                }
                try transport.finish("", until: soon())
            }
        }
    }

    /// Waits until `count` connections have ended with an error and forgets them.
    func errors(_ count: Int) throws -> [FrameStreamingError.Code] {
        let found = endings.wait(until: soon().nanoseconds) { endings -> [FrameStreamingError.Code]? in
            guard endings.count >= count else { return nil }
            defer { endings.removeAll() }
            return endings.map(\.code)
        }
        return try #require(found, "fewer than \(count) connections failed")
    }

    func close() throws {
        listener.close()
        try serving.value()
    }

    func stop() throws {
        listener.stop()
        try serving.value()
    }

    /// Sends one more picture over a connection that existed before:
    /// other peers have not affected it.
    func streams(_ sender: TCPTransport, _ number: UInt64) throws {
        try sender.send(.frame(makeFrame(number), FrameInfo(sequence: number)), until: soon())
        #expect(try sender.receiveAcknowledgement().sequence == number)
    }

    func connect() throws -> TCPTransport {
        try TCPTransport.connect(to: "127.0.0.1:\(listener.port)", role: .sender, until: soon())
    }
}

@Suite(.ownThread(atOnce: 4)) struct TCPListenerTests {
    struct Malformed: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var afterHello: Bool
        var expected: String
        var bytes: [UInt8]

        /// Whether the order of the frames is wrong, which the receiver and not the parser checks.
        var isOrder: Bool { testDescription.hasPrefix("frame-number") }
    }

    static let corpus: [Malformed] = {
        let directory = testFile("Malformed")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.sorted().compactMap { name in
            guard let text = try? String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8) else {
                return nil
            }
            var result = Malformed(testDescription: name, afterHello: false, expected: "", bytes: [])
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                if line.hasPrefix("after: ") {
                    result.afterHello = line == "after: hello"
                } else if line.hasPrefix("expect: ") {
                    result.expected = String(line.dropFirst("expect: ".count))
                } else {
                    result.bytes += bytes(hex: line)
                }
            }
            return result
        }
    }()

    @Test func theCorpusIsThere() { #expect(Self.corpus.count >= 55) }

    @Test(arguments: corpus.filter(\.isOrder)) func framesOutOfOrderEndTheirConnection(_ malformed: Malformed) throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
        let peer = try RawPeer(port: listener.port)
        peer.send(try golden("HELLO") + malformed.bytes)
        peer.shutdownWriting()
        let receiver = try FrameReceiver(
            codec: IdentityCodec(), transport: try listener.accept(until: soon()), decode: nil)
        #expect(code { while try receiver.next(until: soon()) != nil {} } == .protocolViolation)
        _ = peer.receiveToEnd()
    }

    @Test(arguments: corpus.filter { !$0.isOrder }) func malformedInputEndsItsOwnConnectionOnly(_ malformed: Malformed)
        throws
    {
        let server = try Server()
        let beside = try server.connect()
        try server.streams(beside, 1)
        let peer = try RawPeer(port: server.listener.port)
        if malformed.afterHello { peer.send(try golden("HELLO")) }
        peer.send(malformed.bytes)
        peer.shutdownWriting()
        _ = peer.receiveToEnd()
        #expect(try server.errors(1).map(\.description) == [malformed.expected])
        try server.streams(beside, 2)
        try server.close()
    }

    @Test func randomBytesEndTheirOwnConnectionOnly() throws {
        let server = try Server(maximumConnections: 1000)
        let beside = try server.connect()
        // A generator with a seed, so that a failure comes again: splitmix64.
        var state: UInt64 = 2026
        func random() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        let rounds = 150
        let hello = try golden("HELLO")
        let golden = Array(try goldenMessages().values.sorted { $0.count < $1.count })
        for round in 0..<rounds {
            let peer = try RawPeer(port: server.listener.port)
            var bytes = (0..<Int(random() % 200)).map { _ in UInt8(truncatingIfNeeded: random()) }
            if round % 3 > 0 {
                // A message with one byte changed, or cut.
                bytes = golden[Int(random() % UInt64(golden.count))]
                bytes[Int(random() % 8)] = UInt8(truncatingIfNeeded: random())
                bytes.removeLast(Int(random() % 4))
            }
            peer.send((round % 3 == 2 ? hello : []) + bytes)
            peer.shutdownWriting()
            _ = peer.receiveToEnd()
        }
        // No random bytes end a connection cleanly: with this seed none of
        // them is BYE or `over` by chance.
        let codes = try server.errors(rounds - 3)
        let typed: Set<FrameStreamingError.Code> = [
            .protocolViolation, .limitExceeded, .endedWithoutGoodbye, .rejected, .connectionLost,
        ]
        #expect(Set(codes).isSubset(of: typed), "\(Set(codes))")
        try server.streams(beside, 1)
        try server.close()
    }

    @Test func twoHundredAtOnce() throws {
        let server = try Server(maximumConnections: 4)
        let beside = try server.connect()
        let peers = try (0..<200).map { _ in try RawPeer(port: server.listener.port) }
        // 64 silent peers may be in a handshake; each further one ends the oldest.
        #expect(try server.errors(136) == [FrameStreamingError.Code](repeating: .limitExceeded, count: 136))
        for number in 1...UInt64(10) { try server.streams(beside, number) }
        // There is room for a peer that speaks.
        let next = try server.connect()
        #expect(try server.errors(1) == [.limitExceeded])
        for peer in peers { peer.shutdownWriting() }
        #expect(try server.errors(63).allSatisfy { $0 == .endedWithoutGoodbye })
        try server.streams(next, 1)
        try server.close()
    }

    @Test func overTheCapABinaryPeerIsToldWhy() throws {
        let server = try Server(maximumConnections: 1)
        let first = try server.connect()
        #expect { try server.connect() } throws: {
            let error = $0 as? FrameStreamingError
            return error?.code == .busy && error?.message.contains("1 connections are the limit") == true
        }
        let text = try RawPeer(port: server.listener.port)
        text.send("10, ")
        #expect(text.receiveToEnd() == [])
        #expect(try server.errors(2) == [.busy, .busy])
        try server.streams(first, 1)
        try server.close()
    }

    @Test func silentConnectionsDelayNoOther() throws {
        var options = TCPOptions()
        options.handshakeTimeout = .milliseconds(100)
        let server = try Server(options: options)
        let silent = try (0..<5).map { _ in try RawPeer(port: server.listener.port) }
        let sender = try server.connect()
        try server.streams(sender, 1)
        #expect(try server.errors(5) == [FrameStreamingError.Code](repeating: .timedOut, count: 5))
        for peer in silent { #expect(peer.receiveToEnd() == []) }
        try server.streams(sender, 2)
        try server.close()
    }

    @Test(arguments: [true, false]) func aHeaderOneByteAtATime(_ binary: Bool) throws {
        var options = TCPOptions()
        options.handshakeTimeout = .milliseconds(100)
        options.standstillTimeout = .milliseconds(100)
        let server = try Server(options: options)
        let peer = try RawPeer(port: server.listener.port)
        let bytes = binary ? try golden("HELLO") : Array("1".utf8)
        let trickling = try Background {
            for index in 0..<10_000 {
                if index >= bytes.count && binary { break }
                peer.send([index < bytes.count ? bytes[index] : UInt8(ascii: "1")])
                if !binary && index == 0 { break }
                sleep(until: monotonicNow() + 10_000_000)
            }
            return peer.receiveToEnd().count
        }
        let codes = try server.errors(1)
        #expect(codes == [binary ? .timedOut : .connectionLost])
        _ = try trickling.value()
        try server.close()
    }

    @Test func clientsOneAfterAnotherAfterAnyEnd() throws {
        let server = try Server()
        for round in 0..<3 {
            let sender = try server.connect()
            try server.streams(sender, 1)
            if round == 1 {
                sender.close()
                _ = try server.errors(1)
            } else {
                try sender.finish("end", until: soon())
            }
            let text = try RawPeer(port: server.listener.port)
            text.send("over")
            #expect(text.receiveToEnd() == [])
            text.shutdownWriting()
        }
        try server.stop()
    }

    @Test func stopWaitsForThoseThatAreThere() throws {
        let server = try Server()
        let sender = try server.connect()
        try server.streams(sender, 1)
        server.listener.stop()
        try server.streams(sender, 2)
        #expect(code { _ = try server.listener.accept(until: soon()) } == .closed)
        try sender.finish("end", until: soon())
        try server.stop()
    }

    @Test func closeEndsEverything() throws {
        let server = try Server()
        let sender = try server.connect()
        let silent = try RawPeer(port: server.listener.port)
        try server.streams(sender, 1)
        try server.close()
        #expect(silent.receiveToEnd() == [])
        #expect([.endedWithoutGoodbye, .connectionLost].contains(code { _ = try sender.receive(until: soon()) }))
    }

    @Test func acceptIsEndedByClose() throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .automatic)
        let accepting = try Background { _ = try listener.accept(until: .never) }
        listener.close()
        #expect(accepting.error()?.code == .closed)
        let other = try TCPListener(on: "0", role: .receiver, handshake: .automatic)
        let peer = try RawPeer(port: other.port)
        let handshaking = try Background { _ = try other.accept(until: .never) }
        peer.send([WireType.hello.rawValue])
        other.close()
        #expect(handshaking.error()?.code == .closed)
        #expect(code { _ = try other.accept(until: .now) } == .closed)
    }

    @Test func acceptTimesOut() throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .automatic)
        #expect(code { _ = try listener.accept(until: .now) } == .timedOut)
    }

    @Test func aPortThatIsTaken() throws {
        let first = try TCPListener(on: "0", role: .receiver, handshake: .automatic)
        do {
            _ = try TCPListener(on: "127.0.0.1:\(first.port)", role: .receiver, handshake: .automatic)
            Issue.record("two listen on one port")
        } catch {
            #expect(error.code == .addressInUse && error.message.contains("choose another port"))
            #expect(error.subject == "127.0.0.1:\(first.port)")
        }
    }

    @Test(arguments: ["0", "127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0", "localhost:0"])
    func addressesToListenOn(_ address: String) throws {
        let listener = try TCPListener(on: address, role: .sender, handshake: .text)
        #expect(listener.port > 0 && listener.address.hasSuffix(":\(listener.port)"))
        #expect(address != "0" || listener.address.hasPrefix("127.0.0.1:"))
    }

    @Test func anAddressThatIsNotOfThisMachine() {
        #expect(code { _ = try TCPListener(on: "192.0.2.1:0", role: .sender, handshake: .text) } != nil)
        #expect(
            code { _ = try TCPListener(on: "nonexistent.invalid:0", role: .sender, handshake: .text) }
                == .unresolvedHost)
    }

    @Test func aListenerWithoutPlaces() throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .automatic)
        #expect(
            code { try listener.serve(maximumConnections: 0, onError: { _ in }) { _ in } }
                == .invalidArgument)
    }

    @Test func aBodyMayThrowWhatItLikes() throws {
        struct Full: Error {}
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary)
        let errors = Monitor<[any Error]>([])
        let names = Monitor<[String?]>([])
        let serving = try Background {
            try listener.serve(onError: { error in errors.update { $0.append(error) } }) { transport in
                let name = transport.peer.stream
                names.update { $0.append(name) }
                throw Full()
            }
        }
        let transport = try TCPTransport.connect(to: "127.0.0.1:\(listener.port)", role: .sender)
        #expect(transport.peer.stream == nil)
        #expect(try transport.receive(until: soon()) == nil)
        #expect(transport.peer.goodbye == .failed("Full()"))
        listener.stop()
        try serving.value()
        #expect(names.withLock { $0 } == [nil])
        #expect(errors.withLock { $0 }.count == 1)
        #expect(errors.withLock { $0 }.first is Full)
    }

    @Test func aListeningSocketThatBreaksIsThrown() throws {
        let listener = try TCPListener(on: "0", role: .sender, handshake: .binary)
        let serving = try Background { try listener.serve(onError: { Issue.record($0) }) { _ in } }
        listener.descriptor.withLock { $0 }?.shutdownBoth()
        let error = serving.error()
        #expect(error?.code == .closed && error?.errno == Errno.invalid, "\(error as Any)")
    }
}
