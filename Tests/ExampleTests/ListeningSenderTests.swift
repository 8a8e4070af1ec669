import Foundation
import RawSockets
import TestThreads
import Testing

extension ExampleTests {
    /// `frame-send --listen` and misbehaving receivers: only the user ends a listener.
    @Suite struct ListeningSender {
        static let oneAtATime = ["--quality", "20...80"]

        static func start(_ arguments: [String]) throws -> (program: Program, port: Int) {
            let program = try Program(
                "frame-send", ["--listen", "0", "--json", "--pattern", "--size", "64x48", "--rate", "60"] + arguments)
            return (program, try program.port())
        }

        /// A message with a header and no payload.
        private static func message(_ type: UInt8, _ header: [UInt8], _ payload: [UInt8] = []) -> [UInt8] {
            [type, 1] + big(header.count, 2) + big(payload.count, 4) + header + payload
        }

        private static func big(_ number: Int, _ bytes: Int) -> [UInt8] {
            (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }

        /// A receiver's HELLO.
        private static func hello(limit: Int = 1 << 20, credit: Int = 16, format: String? = nil) -> [UInt8] {
            let formats = format.map { big(1, 2) + Array($0.utf8) } ?? big(0, 2)
            let header: [UInt8] =
                Array("FSTR".utf8) + big(1, 2) + big(1, 2) + [2, 0, 0, 0] + big(0, 8) + big(limit, 4) + big(0, 16)
                + big(credit, 8) + big(0, 24)
            return message(0x81, header, big(0, 2) + formats)
        }

        /// The types of messages that come, up to one of this type; nil
        /// where the connection ends before.
        private static func hear(_ peer: RawPeer, upTo wanted: UInt8) -> [UInt8]? {
            while true {
                let prefix = peer.receive(8)
                guard prefix.count == 8 else { return nil }
                let length =
                    Int(prefix[2]) << 8 + Int(prefix[3]) + prefix[4...].reduce(0) { $0 << 8 + Int($1) }
                let rest = peer.receive(length)
                if prefix[0] == wanted { return rest }
            }
        }

        /// An honest receiver that gets a frame, trying again while there is no room.
        private static func isServed(_ port: Int) throws -> Bool {
            for _ in 0..<40 {
                let peer = try RawPeer(port: port, patience: 10)
                peer.send(hello())
                if hear(peer, upTo: 0x84) != nil { return true }
                // The connection was refused, because the one before it has not ended yet.
                usleep(50_000)
            }
            return false
        }

        private static let faults: [(String, [UInt8])] = [
            ("three zeros", [0, 0, 0]),
            (
                "an acknowledgement of what was not sent",
                message(
                    0x85,
                    big(99, 8) + big(99, 8) + big(115, 8) + big(-1, 16)
                        + big(0, 8) + big(0, 4) + [1, 0, 0, 0])
            ),
            ("a frame", message(0x84, [UInt8](repeating: 0, count: 76))),
            ("a second HELLO", hello()),
            ("half a message", [0x85, 1, 0, 52, 0]),
        ]

        @Test(arguments: [oneAtATime, []]) func aReceiverThatErrsIsReportedAndTheNextOneIsServed(_ options: [String])
            throws
        {
            let (sender, port) = try Self.start(options)
            for (what, bytes) in Self.faults {
                let peer = try RawPeer(port: port)
                peer.send(Self.hello())
                #expect(Self.hear(peer, upTo: 0x84) != nil, "\(what)")
                peer.send(bytes)
                peer.shutdownWriting()
                #expect(peer.waitForEnd(), "\(what)")
                #expect(try Self.isServed(port), "after \(what): \(sender.complaints)")
            }
            sender.signal(SIGTERM)
            #expect(try sender.finish() == .exit(0))
            #expect((sender.output + sender.complaints).contains("the receiver acknowledged frame 99"))
        }

        @Test(arguments: [oneAtATime, []]) func aReceiverThatCanTakeNothingIsRefusedWithTheReason(_ options: [String])
            throws
        {
            let (sender, port) = try Self.start(options)
            for (hello, words) in [
                (Self.hello(limit: 0), "takes no image of more than 0 bytes"),
                (Self.hello(format: "GREY"), "takes GRAY8 (GREY) only, and the sender has JPEG"),
            ] {
                let peer = try RawPeer(port: port)
                peer.send(hello)
                let reject = try #require(Self.hear(peer, upTo: 0x83))
                #expect(reject.prefix(2) == [0, 6])
                #expect(String(decoding: reject, as: UTF8.self).contains(words))
                try sender.findComplaint(words)
            }
            #expect(try Self.isServed(port), "\(sender.complaints)")
            sender.signal(SIGTERM)
            #expect(try sender.finish() == .exit(0))
        }

        /// A file, too, whose receiver leaves before it has ended.
        @Test func aReceiverThatLeavesDoesNotEndTheListening() throws {
            let place = try Workspace()
            let clip = try place.write(Clip(frames: 3).y4m, to: "clip.y4m")
            let sender = try Program(
                "frame-send", ["--listen", "0", "--json", "--input", clip, "--loop"] + Self.oneAtATime)
            let port = try sender.port()
            for _ in 0..<2 {
                let (end, _, complaints) = try run(
                    "frame-receive", ["--from", "127.0.0.1:\(port)", "--frames", "3", "--json"])
                #expect(end == .exit(0), "\(complaints)")
            }
            sender.signal(SIGTERM)
            #expect(try sender.finish() == .exit(0))
        }

        /// Threads or descriptors of the program.
        private static func count(_ what: String, of program: Program) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(program.id)/\(what)").count
        }

        @Test(arguments: ["latest", "reliable"]) func anIdleReceiverHasNoThread(policy: String) throws {
            let (sender, port) = try Self.start(["--policy", policy])
            #expect(try Self.isServed(port))
            let before = try Self.count("task", of: sender)
            // They read one frame at most, and send nothing.
            let peers = try (0..<40).map { _ in
                let peer = try RawPeer(port: port)
                peer.send(Self.hello(credit: 1))
                #expect(Self.hear(peer, upTo: 0x82) != nil)
                return peer
            }
            try waitUntil("the end of the threads of the handshakes") {
                try Self.count("task", of: sender) < before + 6
            }
            #expect(try Self.isServed(port))
            _ = peers
            sender.signal(SIGTERM)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
        }

        enum Leaving: CaseIterable { case closes, resets, saysGoodbye, violates }

        @Test(arguments: ["latest", "reliable"], Leaving.allCases)
        func receiversThatHaveLeftHoldNothing(policy: String, how: Leaving) throws {
            let (sender, port) = try Self.start(["--policy", policy])
            #expect(try Self.isServed(port))
            try waitUntil("the end of the first") { try Self.count("fd", of: sender) > 3 }
            let (threads, descriptors) = (try Self.count("task", of: sender), try Self.count("fd", of: sender))
            for _ in 0..<2 {
                let peers = try (0..<20).map { _ in
                    let peer = try RawPeer(port: port)
                    peer.send(Self.hello())
                    #expect(Self.hear(peer, upTo: 0x82) != nil)
                    return peer
                }
                for peer in peers {
                    switch how {
                    case .closes: break
                    case .resets: peer.kill()
                    case .saysGoodbye:
                        peer.send(Self.message(0x88, [0, 0, 0, 0]))
                        #expect(Self.hear(peer, upTo: 0x89) != nil)
                    case .violates: peer.send([0, 0, 0])
                    }
                }
            }
            // Of those that broke under `reliable` the last are given up after 5 s.
            try waitUntil("the descriptors") { try Self.count("fd", of: sender) <= descriptors + 3 }
            try waitUntil("the end of the threads") { try Self.count("task", of: sender) <= threads + 3 }
            #expect(try Self.isServed(port))
            sender.signal(SIGTERM)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
        }

        @Test func theLimitIsAnOption() throws {
            let (sender, port) = try Self.start(["--maximum-connections", "2"])
            let two = try (0..<2).map { _ in
                let peer = try RawPeer(port: port)
                peer.send(Self.hello())
                #expect(Self.hear(peer, upTo: 0x84) != nil)
                return peer
            }
            let third = try RawPeer(port: port)
            third.send(Self.hello())
            #expect(try #require(Self.hear(third, upTo: 0x83)).prefix(2) == [0, 1])
            two[0].kill()
            #expect(try Self.isServed(port))
            _ = two
            sender.signal(SIGTERM)
            #expect(try sender.finish() == .exit(0))
        }

        /// Two receivers of a file, one of which is stopped or killed: the other one has all of it.
        @Test(arguments: [SIGSTOP, SIGKILL]) func aDeadReceiverDoesNotStopOthers(signal: Int32) throws {
            let place = try Workspace()
            let clip = try place.write(Clip(frames: 150).y4m, to: "clip.y4m")
            let sender = try Program(
                "frame-send", ["--listen", "0", "--json", "--input", clip, "--rate", "30", "--give-up-after", "2"])
            let address = "127.0.0.1:\(try sender.port())"
            let receivers = try (0..<2).map { _ in try Program("frame-receive", ["--from", address, "--json"]) }
            for receiver in receivers { try receiver.streams("frames") }
            receivers[0].signal(signal)
            #expect(try receivers[1].finish() == .exit(0), "\(receivers[1].complaints)")
            let end = try sender.line("its end") {
                $0.event == "disconnected" && $0.string("reason")?.contains("given up") == true
            }
            #expect(end.string("reason")?.contains("given up") == true, "\(end)")
            receivers[0].signal(SIGKILL)
            sender.signal(SIGTERM)
            _ = try sender.finish()
        }
    }
}
