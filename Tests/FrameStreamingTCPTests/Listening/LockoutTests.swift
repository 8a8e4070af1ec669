import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// A peer that resets its connection, wherever in the dialogue, gives its place back.
@Suite(.ownThread(atOnce: 4)) struct LockoutTests {
    /// A receiver with one place, whose consumer holds each frame until the test lets it go on.
    private final class Server: Sendable {
        let listener: TCPListener
        private let isBusy: Monitor<Bool>
        private let taken: Monitor<Int>
        private let serving: Background<Void>

        init() throws {
            let listener = try TCPListener(on: "0", role: .receiver, handshake: .automatic)
            let isBusy = Monitor(false)
            let taken = Monitor(0)
            (self.listener, self.isBusy, self.taken) = (listener, isBusy, taken)
            serving = try Background {
                try listener.serve(maximumConnections: 1, onError: { _ in }) { transport in
                    let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
                    while try receiver.next() != nil {
                        taken.update { $0 += 1 }
                        _ = isBusy.wait(until: soon().nanoseconds) { $0 ? nil : true }
                    }
                }
            }
        }

        func holdFrames() { isBusy.update { $0 = true } }
        func letFramesGo() { isBusy.update { $0 = false } }

        /// How many frames the consumer had so far.
        var count: Int { taken.withLock { $0 } }

        /// Waits until the consumer has had so many frames.
        func wait(for frames: Int) -> Bool {
            taken.wait(until: soon().nanoseconds) { $0 >= frames ? true : nil } == true
        }

        /// Waits until the place is free; an error where it does not become so.
        func waitUntilFree() throws {
            let listener = listener
            try Background { listener.registry.waitUntilEmpty() }.value()
        }

        /// Whether another peer is served soon.
        func servesAnother() throws -> Bool {
            let deadline = Deadline.after(.seconds(20))
            while !deadline.hasPassed {
                let peer = try RawPeer(port: listener.port)
                peer.send("4, ")
                if peer.receiveText(2) == "ok" {
                    peer.send("abcd")
                    let isServed = peer.receiveText(2) == "ok"
                    peer.send("over")
                    return isServed
                }
            }
            return false
        }

        func close() throws {
            letFramesGo()
            listener.close()
            try serving.value()
        }
    }

    private func check(_ pieces: [[UInt8]], frames: Int, _ server: Server) throws {
        // The bytes are sent at once or piece by piece, with the answers read or not.
        for (isWhole, reads) in [(true, false), (false, true), (false, false)] {
            server.holdFrames()
            let before = server.count
            let peer = try RawPeer(port: server.listener.port)
            if isWhole {
                peer.send(pieces.flatMap { $0 })
            } else {
                // Only the first length is answered: the consumer is busy from then on.
                var isAnswered = reads
                for piece in pieces {
                    peer.send(piece)
                    guard isAnswered, piece == Array("5, ".utf8) else { continue }
                    isAnswered = false
                    #expect(peer.receiveText(2) == "ok")
                }
            }
            if frames > 0 { #expect(server.wait(for: before + 1)) }
            peer.kill()
            server.letFramesGo()
            try server.waitUntilFree()
            #expect(try server.servesAnother(), "\(pieces), whole \(isWhole), answers read \(reads)")
            try server.waitUntilFree()
        }
    }

    @Test func aResetAnywhereInTheTextDialogue() throws {
        let server = try Server()
        let (header, picture) = (Array("5, ".utf8), Array("abcde".utf8))
        let dialogues: [([[UInt8]], frames: Int)] = [
            ([], 0), ([Array("5".utf8)], 0), ([Array("5,".utf8)], 0), ([header], 0), ([header, [1, 2]], 0),
            ([Array("o".utf8)], 0), ([Array("over".utf8)], 0),
            ([header, picture], 1), ([header, picture, Array("5".utf8)], 1), ([header, picture, header], 1),
            ([header, picture, header, [1]], 1), ([header, picture, header, picture], 1),
            ([header, picture, header, picture, header], 1), ([header, picture, Array("ov".utf8)], 1),
            ([header, picture, Array("over".utf8)], 1), ([header, picture, [0xFF]], 1),
        ]
        for (pieces, frames) in dialogues { try check(pieces, frames: frames, server) }
        try server.close()
    }

    @Test func aResetAnywhereInTheBinaryDialogue() throws {
        let server = try Server()
        let hello = Hello(
            role: TCPRole.sender.wireCode, maximumFrameByteCount: 1, bootID: [UInt8](repeating: 3, count: 16),
            stream: ""
        )
        .marshal(.hello)
        func frame(_ sequence: UInt64) throws -> [UInt8] {
            let picture = try makeFrame(bytes: [1, 2, 3, 4, 5])
            return FrameHeader(picture, FrameInfo(sequence: sequence)).marshal(metadata: [], imageBytes: 5)
                + [1, 2, 3, 4, 5]
        }
        let (one, two) = (try frame(1), try frame(2))
        let (ping, bye) = (Ping(id: 1, sendTime: 2).marshal(), Bye("enough").marshal())
        for cut in [1, 7, 8, 20, hello.count - 1] { try check([Array(hello[..<cut])], frames: 0, server) }
        for cut in [0, 1, 8, 50, 84, 86] { try check([hello, Array(one[..<cut])], frames: 0, server) }
        for rest in [
            [], [1], two, Array(two[..<84]), Array(two[..<87]), ping, Array(ping[..<9]), bye, Array(bye[..<10]),
        ] {
            try check([hello, one, rest], frames: 1, server)
        }
        try server.close()
    }

    /// A server that answers a text sender with these bytes and resets, at any place, ends its
    /// stream. It may reset before the sender has seen that it is connected.
    @Test func aResetOfATextSendersServer() throws {
        for (answer, bytesToRead) in [
            ("", 0), ("", 3), ("o", 3), ("ok", 3), ("ok", 6), ("oko", 8), ("okok", 8), ("okoko", 11),
        ] {
            let listener = try RawListener()
            let serving = try Background {
                let peer = listener.accept()
                peer.send(answer)
                _ = peer.receive(bytesToRead)
                peer.kill()
            }
            let transport: TCPTransport
            do throws(FrameStreamingError) {
                transport = try TCPTransport.connect(
                    to: "127.0.0.1:\(listener.port)", role: .sender, handshake: .text, until: soon())
            } catch {
                #expect(error.code == .connectionFailed && bytesToRead == 0, "\(error)")
                try serving.value()
                continue
            }
            let sender = try FrameSender(
                codec: IdentityCodec(), transport: transport, options: SenderOptions(policy: .reliable, window: 1))
            let sending = try Background {
                var source = ScriptedSource(try (1...4).map { try makeFrame($0, byteCount: 5) })
                _ = try? sender.run(&source)
            }
            try sending.value()
            try serving.value()
            #expect(sender.summary.receivers.allSatisfy { $0.end != nil })
        }
    }
}
