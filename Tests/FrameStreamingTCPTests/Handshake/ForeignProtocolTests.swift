import FrameStreamingCore
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// What other programs send first when they take a port for another one.
@Suite(.ownThread(atOnce: 4)) struct ForeignProtocolTests {
    static let openings: [([UInt8], ForeignProtocol)] = [
        (Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), .http), (Array("HEAD /x HTTP/1.0\r\n\r\n".utf8), .http),
        (Array("OPTIONS * HTTP/1.1\r\n".utf8), .http), (Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), .http),
        (Array("OPTIONS rtsp://a/1 RTSP/1.0\r\nCSeq: 1\r\n\r\n".utf8), .rtsp),
        (Array("DESCRIBE rtsp://a/1 RTSP/1.0\r\n".utf8), .rtsp), (Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), .ssh),
        ([0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3], .tls), ([0x15, 3, 3, 0, 2, 2, 40], .tls),
        ([3] + [UInt8](repeating: 0, count: 1536), .rtmp),
        // A time stamp, and a version in place of the zeros, as Flash wrote it.
        ([3, 0, 0x13, 0x88, 0x10, 9, 0, 0x7C, 2] + [UInt8](repeating: 0xE0, count: 1528), .rtmp),
        ([3, 0x12, 0x34, 0x56, 0x78, 0xE0, 0, 0, 0], .rtmp),
        // mstsc's connection request, without and with a cookie.
        ([3, 0, 0, 0x13, 0x0E, 0xE0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0], .rdp),
        ([3, 0, 0, 0x2C, 0x27, 0xE0, 0, 0, 0, 0, 0] + Array("Cookie: mstshash=eltons\r\n".utf8), .rdp),
        ([0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8), .zeroMQ),
    ]

    @Test(arguments: openings) func eachIsRecognisedAsSoonAsItCanBe(bytes: [UInt8], expected: ForeignProtocol) {
        #expect(ForeignProtocol.find(in: bytes) == .found(expected))
        // However the bytes are split, nothing else is found on the way.
        for count in 1..<min(bytes.count, 64) {
            let finding = ForeignProtocol.find(in: Array(bytes.prefix(count)))
            #expect(finding == .found(expected) || finding == .undecided, "\(count)")
        }
    }

    @Test(
        arguments: [
            [], [3], [3, 0, 0, 0x13, 0x0E], [UInt8(ascii: "1")], Array("40, ".utf8), Array("over".utf8),
            [0x81, 1, 0x50, 0], [0x16, 7],
            [0xFF, 0xD8],
            Array("GOT".utf8), [UInt8](repeating: 0xFF, count: 40), [UInt8](repeating: 0, count: 40),
        ] as [[UInt8]])
    func nothingElseIs(bytes: [UInt8]) {
        #expect(ForeignProtocol.find(in: bytes, isAll: true) == .nothing)
    }

    /// The error of a listener whose peer sends the bytes in two pieces.
    private func error(
        _ bytes: [UInt8], split: Int, role: TCPRole, handshake: Handshake
    ) throws -> (FrameStreamingError?, address: String) {
        let listener = try TCPListener(on: "127.0.0.1:0", role: role, handshake: handshake)
        defer { listener.close() }
        let peer = try RawPeer(port: listener.port)
        peer.send(bytes.prefix(split))
        let accepting = try Background("a handshake with a stranger") {
            let transport = try listener.accept(until: .after(.seconds(30)))
            _ = try transport.receive(until: .after(.seconds(30)))
        }
        peer.send(bytes.dropFirst(split))
        return (accepting.error(as: FrameStreamingError.self), "127.0.0.1:")
    }

    @Test(arguments: openings) func aReceiverNamesIt(bytes: [UInt8], expected: ForeignProtocol) throws {
        for handshake in [Handshake.automatic, .binary] {
            for split in [bytes.count, 1] {
                let (error, address) = try error(bytes, split: split, role: .receiver, handshake: handshake)
                let expected = expected.error(isSender: false, listens: true, at: nil)
                #expect(error?.message == expected.message, "\(handshake) \(split)")
                #expect(error?.subject?.hasPrefix(address) == true, "\(error as Any)")
            }
        }
        let (error, _) = try error(bytes, split: bytes.count, role: .receiver, handshake: .text)
        #expect(error?.message == expected.error(isSender: false, listens: true, at: nil).message)
    }

    @Test(arguments: openings) func aSenderNamesIt(bytes: [UInt8], expected: ForeignProtocol) throws {
        for handshake in [Handshake.binary, .text] {
            let (error, _) = try error(bytes, split: bytes.count, role: .sender, handshake: handshake)
            #expect(error?.message == expected.error(isSender: true, listens: true, at: nil).message)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"), ("SSH-2.0-OpenSSH_9.2\r\n", "SSH"), ("RTSP/1.0 400\r\n", "RTSP"),
    ])
    func theSideThatConnectsNamesItToo(answer: String, name: String) throws {
        let listener = try RawListener()
        let connecting = try Background("the connection to a stranger") {
            _ = try TCPTransport.connect(
                to: "tcp://127.0.0.1:\(listener.port)", role: .sender, until: .after(.seconds(30)),
                cancellation: TCPCancellation())
        }
        let peer = listener.accept()
        peer.send(answer)
        let error = connecting.error(as: FrameStreamingError.self)
        #expect(error?.code == .protocolViolation && error?.subject == "127.0.0.1:\(listener.port)")
        #expect(error?.message.hasPrefix("the program there speaks \(name)") == true, "\(error as Any)")
    }

    /// With the text handshake the side that connects finds out with the peer's first words.
    @Test(arguments: [TCPRole.receiver, .sender]) func theTextHandshakeKnowsWhoConnected(role: TCPRole) throws {
        let listener = try RawListener()
        let connecting = try Background("the connection to a stranger") {
            let transport = try TCPTransport.connect(
                to: "127.0.0.1:\(listener.port)", role: role, handshake: .text, until: .after(.seconds(30)),
                cancellation: TCPCancellation())
            _ = try transport.receive(until: .after(.seconds(30)))
        }
        let peer = listener.accept()
        peer.send("SSH-2.0-OpenSSH_9.2\r\n")
        let error = connecting.error(as: FrameStreamingError.self)
        #expect(error?.message.hasPrefix("the program there speaks SSH") == true, "\(error as Any)")
    }

    @Test func everyOtherErrorOfAHandshakeNamesTheAddress() throws {
        for bytes in [[0x16, 7], [0x99, 0, 0, 0], [UInt8(ascii: "x")]] as [[UInt8]] {
            let (error, address) = try error(bytes, split: bytes.count, role: .receiver, handshake: .automatic)
            #expect(error?.subject?.hasPrefix(address) == true, "\(error as Any)")
        }
    }
}
