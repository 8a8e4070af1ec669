import FrameStreamingCore
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// A sender that listens has a receiver only once WELCOME has reached it.
@Suite(.ownThread(atOnce: 4)) struct SignOfLifeTests {
    /// The receiver's HELLO, as the golden messages have it for a sender.
    private static func hello() throws -> [UInt8] {
        Hello(
            role: TCPRole.receiver.wireCode, maximumFrameByteCount: 1 << 20, bootID: [UInt8](repeating: 3, count: 16),
            stream: ""
        ).marshal(.hello)
    }

    @Test func aReceiverThatLeavesBehindWelcomeIsNoReceiver() throws {
        let listener = try TCPListener(on: "0", role: .sender)
        let accepting = try Background { try listener.accept(until: soon()) }
        let peer = try RawPeer(port: listener.port)
        peer.send(try Self.hello())
        #expect(peer.receive(1) == [0x82])
        peer.shutdownWriting()
        #expect(accepting.error()?.code == .endedWithoutGoodbye)
    }

    @Test func aPeerWithoutAByteIsNoBrokenStream() throws {
        let listener = try TCPListener(on: "0", role: .receiver)
        let accepting = try Background { try listener.accept(until: soon()) }
        try RawPeer(port: listener.port).shutdownWriting()
        let error = try #require(accepting.error())
        #expect(error.code == .endedWithoutGoodbye && error.message.contains("before its first byte"), "\(error)")
    }

    @Test func aReceiverThatSaysSomethingIsOne() throws {
        let listener = try TCPListener(on: "0", role: .sender)
        let accepting = try Background { try listener.accept(until: soon()) }
        let peer = try RawPeer(port: listener.port)
        peer.send(try Self.hello())
        #expect(peer.receive(1) == [0x82])
        peer.send(try golden("PING"))
        let transport = try accepting.value()
        // The byte that was looked at is still there: the PING is answered.
        let reading = try Background { try transport.receive(until: .never) }
        var answer: [UInt8] = []
        while answer.isEmpty || answer.last != 0x87 {
            let byte = peer.receive(1)
            guard !byte.isEmpty else { break }
            answer += byte
        }
        #expect(answer.last == 0x87)
        transport.close()
        _ = reading.error()
    }

    /// The protocol does not ask a receiver to say anything before the first frame.
    @Test func aSilentReceiverIsOneAsWell() throws {
        let listener = try TCPListener(on: "0", role: .sender)
        let accepting = try Background { try listener.accept(until: soon()) }
        let peer = try RawPeer(port: listener.port)
        peer.send(try Self.hello())
        #expect(try accepting.value().peer.handshake == .binary)
        _ = peer
    }
}
