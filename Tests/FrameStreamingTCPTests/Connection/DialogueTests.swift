import FrameStreamingCore
import FrameStreamingTesting
import Foundation
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// The dialogue that Docs/WireProtocol.md shows in bytes, played to a receiver.
@Suite(.ownThread(atOnce: 4)) struct DialogueTests {
    /// `>` marks the sender's bytes, `<` the receiver's, `00*n` is n
    /// bytes of 0, and `#` begins a comment.
    private func turns() throws -> [(isSender: Bool, bytes: [UInt8])] {
        let document = try String(contentsOf: testFile("../../Docs/WireProtocol.md"), encoding: .utf8)
        let block = try #require(document.components(separatedBy: "```dialogue\n").dropFirst().first)
        var turns: [(isSender: Bool, bytes: [UInt8])] = []
        for line in try #require(block.components(separatedBy: "```").first).split(separator: "\n") {
            if let speaker = line.first, speaker != " " { turns.append((speaker == ">", [])) }
            for word in line.dropFirst().prefix(while: { $0 != "#" }).split(separator: " ") {
                let parts = word.split(separator: "*")
                let count = parts.count == 2 ? try #require(Int(parts[1])) : 1
                for _ in 0..<count { turns[turns.count - 1].bytes += bytes(hex: parts[0]) }
            }
        }
        return turns
    }

    @Test func theDialogueOfTheDocument() throws {
        var options = TCPReceiverOptions()
        options.creditAhead = 1
        options.maximumFrameByteCount = 1 << 20
        let listener = try TCPListener(on: "0", role: .receiver(options), handshake: .binary)
        let consuming = try Background {
            let receiver = try FrameReceiver(
                codec: IdentityCodec(), transport: try listener.accept(until: soon()), decode: nil)
            var pictures: [[UInt8]] = []
            while let received = try receiver.next(until: soon()) { pictures.append(received.frame.contents) }
            return pictures
        }
        let peer = try RawPeer(port: listener.port)
        let turns = try turns()
        #expect(turns.map(\.isSender) == [true, false, true, false, true, false])
        for (isSender, bytes) in turns {
            if isSender {
                peer.send(bytes)
                continue
            }
            var answer = peer.receive(bytes.count)
            // The document leaves PINGs out, because they may be sent at any time.
            while answer.first == WireType.ping.rawValue {
                answer = answer.dropFirst(WirePrefix.length + Ping.headerLength) + []
                answer += peer.receive(bytes.count - answer.count)
            }
            try #require(answer.count == bytes.count)
            // Clocks: the document's receiver has none, ours has.
            switch answer[0] {
            case WireType.welcome.rawValue: answer.replaceSubrange(56..<80, with: bytes[56..<80])
            case WireType.acknowledgement.rawValue:
                answer.replaceSubrange(32..<48, with: bytes[32..<48])
                answer.replaceSubrange(64..<80, with: bytes[64..<80])
            default: break
            }
            #expect(answer == bytes)
        }
        peer.shutdownWriting()
        let rest = peer.receiveToEnd()
        #expect(rest.isEmpty)
        #expect(try consuming.value() == [[0xFF, 0xD8, 0xFF, 0xD9]])
    }
}
