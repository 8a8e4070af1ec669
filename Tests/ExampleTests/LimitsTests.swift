import FrameStreamingCore
import Foundation
import Glibc
import RawSockets
import Testing

@testable import FrameStreamingTCP

extension ExampleTests {
    /// What a peer may cost the programs at most.
    @Suite struct Limits {
        private func hello(_ role: UInt8, session: UInt64 = 0) -> [UInt8] {
            var hello = Hello(
                role: role, maximumFrameByteCount: 1 << 20, bootID: [UInt8](repeating: 7, count: 16), stream: "raw")
            hello.session = session
            hello.creditThrough = 1
            return hello.marshal(.hello)
        }

        private func frame(_ sequence: UInt64) throws -> [UInt8] {
            let buffer = FramePool(capacity: 1).buffer(byteCount: 20)
            let frame = try buffer.makeFrame(
                format: FrameFormat(width: 8, height: 8, pixelFormat: .jpeg), captureTime: nil, sequence: sequence)
            return FrameHeader(frame, FrameInfo(sequence: sequence)).marshal(metadata: [], imageBytes: 20)
                + [UInt8](repeating: 9, count: 20)
        }

        private func limits(_ program: Program) throws -> Line { try program.total().nested("limits") }

        @Test func silentPeersTakeNoPlaceOfAReceiver() throws {
            let (receiver, port) = try receiver(
                ["--maximum-connections", "1", "--limit", "handshakes=4", "--limit", "handshake-time=600"])
            let silent = try (0..<12).map { _ in try RawPeer(port: port, patience: 60) }
            let sender = try sender(to: port, pattern(3))
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            try receiver.findComplaint("its handshake was ended for a newer one, because more than 4 were in progress")
            withExtendedLifetime(silent) {}
            receiver.signal(SIGTERM)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try receiver.total().int("frames") == 3)
            // The sender's own handshake ended the ninth.
            #expect(try limits(receiver).int("handshakes") >= 8)
            #expect(try limits(receiver).int("connections") == 0)
        }

        @Test func anAddressHasOnlySoManyConnections() throws {
            let (receiver, port) = try receiver(["--limit", "connections-per-address=1"])
            let first = try sender(to: port, ["--pattern", "--size", "64x48", "--stream", "first"])
            try receiver.streams("frames")
            let second = try sender(to: port, pattern(3) + ["--no-reconnect"])
            #expect(try second.finish() == .exit(1))
            let words = "1 connections of one address are the limit here"
            #expect(second.complaints.contains(words), "\(second.complaints)")
            first.signal(SIGINT)
            #expect(try first.finish() == .exit(0))
            receiver.signal(SIGTERM)
            #expect(try receiver.finish() == .exit(0))
            #expect(try limits(receiver).int("connections_per_address") >= 1)
        }

        @Test func aSenderOfRubbishIsEndedAndTheOthersGoOn() throws {
            let (receiver, port) = try receiver(["--decode", "bgr", "--limit", "decode-failures=3", "--preview", "0"])
            let url = try receiver.line("the page") { $0.event == "preview" }.string("url")
            let page = try #require(url?.firstMatch(of: /:([0-9]+)\//).flatMap { Int($0.1) })
            let good = try sender(to: port, ["--pattern", "--size", "64x48", "--stream", "good"])
            try receiver.streams("frames")
            let peer = try RawPeer(port: port, patience: 60)
            peer.send(hello(1, session: 5))
            for sequence in 1...3 as ClosedRange<UInt64> { peer.send(try frame(sequence)) }
            try receiver.findComplaint("3 frames in a row did not decode")
            peer.send(ByeAcknowledgement(consumedThrough: 0).marshal())
            #expect(peer.waitForEnd())
            let ended = try receiver.line("the end of the rubbish") {
                $0.event == "summary" && $0.string("stream") == "raw"
            }
            #expect(try ended.int("decode_failures") == 3 && ended.nested("limits").int("decode_failures") == 1)
            #expect(ended.string("end") == "error")
            let reader = try RawPeer(port: page, patience: 60)
            reader.send("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:\(page)\r\nConnection: close\r\n\r\n")
            let metrics = String(decoding: reader.receiveToEnd(), as: UTF8.self)
            #expect(
                metrics.contains("framestreaming_limit_reached_total{limit=\"decode_failures\"} 1\n"), "\(metrics)")
            for limit in PeerLimit.allCases {
                #expect(metrics.contains("framestreaming_limit_reached_total{limit=\"\(limit)\"} "), "\(limit)")
            }
            good.signal(SIGINT)
            #expect(try good.finish() == .exit(0), "\(good.complaints)")
            receiver.signal(SIGTERM)
            // A stream that was ended as an error is one.
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try limits(receiver).int("decode_failures") == 1)
        }

        @Test func aPictureThatIsTooLargeIsRefusedAndCounted() throws {
            let (receiver, port) = try receiver(["--once", "--decode", "bgr", "--limit", "pixels=1000"])
            let sender = try sender(to: port, pattern(3))
            try sender.finish()
            try receiver.finish()
            try receiver.findComplaint("160x120 exceeds this codec's limit of 1000 pixels")
            #expect(try limits(receiver).int("pixels") == 3)
        }

        @Test func anIdleSenderIsToldToGo() throws {
            let (receiver, port) = try receiver(["--limit", "idle-time=1"])
            let peer = try RawPeer(port: port, patience: 60)
            peer.send(hello(1, session: 6))
            try receiver.findComplaint("the sender sent no frame for 1.0 seconds")
            peer.send(ByeAcknowledgement(consumedThrough: 0).marshal())
            #expect(peer.waitForEnd())
            receiver.signal(SIGTERM)
            try receiver.finish()
            #expect(try limits(receiver).int("idle_time") == 1)
        }

        @Test func aSenderThatListensCountsItsStrangers() throws {
            let sender = try Program(
                "frame-send", ["--listen", "0", "--json", "--limit", "handshake-time=1"] + ["--pattern"])
            let silent = try RawPeer(port: sender.port(), patience: 60)
            #expect(silent.waitForEnd())
            try sender.findComplaint("did not complete a handshake in time")
            sender.signal(SIGINT)
            try sender.finish()
            #expect(try limits(sender).int("handshake_time") == 1)
        }

        @Test func aFasterSenderIsHeldBack() throws {
            let (receiver, port) = try receiver(["--limit", "byte-rate=100000"])
            let sender = try sender(
                to: port, pattern(12, size: "320x240") + ["--policy", "reliable", "--quality", "95"])
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            receiver.signal(SIGTERM)
            #expect(try receiver.finish() == .exit(0))
            #expect(try receiver.total().int("frames") == 12)
            #expect(try limits(receiver).int("byte_rate") > 0)
        }
    }
}
