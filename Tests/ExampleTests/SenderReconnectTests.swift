import FrameStreamingCore
import FrameStreamingTCP
import Glibc
import Testing

extension ExampleTests {
    /// Either side may start first, and be restarted at will: frame-send's part.
    @Suite struct SenderReconnect {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        private static let live = ["--pattern", "--size", "160x120", "--rate", "100"]

        /// A port on which no program listens now.
        private func freePort() throws -> Int {
            let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
            defer { listener.close() }
            return listener.port
        }

        private func listen(on port: Int, _ arguments: [String] = []) throws -> Program {
            try Program("frame-receive", ["--listen", "127.0.0.1:\(port)", "--json"] + arguments)
        }

        @Test func theSenderMayStartFirst() throws {
            let port = try freePort()
            let sender = try sender(to: port, pattern(20) + ["--policy", "reliable"])
            let waiting = try sender.line("the wait for a receiver") { $0.event == "waiting" }
            #expect(waiting.string("address") == "127.0.0.1:\(port)")
            #expect(waiting.string("reason")?.contains("no program listens there") == true)
            let receiver = try listen(on: port, ["--once"])
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try receiver.total().int("frames") == 20)
            #expect(try sender.total().int("acknowledged") == 20)
        }

        @Test(arguments: [SIGKILL, SIGTERM]) func aReceiverThatIsRestartedGetsPicturesAgain(signal: Int32) throws {
            let port = try freePort()
            let first = try listen(on: port)
            let sender = try sender(to: port, Self.live)
            try first.streams("frames")
            first.signal(signal)
            try first.finish()
            _ = try sender.line("the break") { $0.event == "disconnected" }
            let second = try listen(on: port)
            try second.streams("frames")
            sender.signal(SIGTERM)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            second.signal(SIGTERM)
            #expect(try second.finish() == .exit(0), "\(second.complaints)")
            let total = try sender.total()
            #expect(try total.int("produced") == total.accounted())
            #expect(try total.int("resent") == 0)
        }

        @Test func aSenderThatIsRestartedGoesOn() throws {
            let (receiver, port) = try receiver()
            let first = try sender(to: port, Self.live)
            try first.streams("acknowledged")
            first.signal(SIGKILL)
            try first.finish()
            let second = try sender(to: port, Self.live)
            try second.streams("acknowledged")
            second.signal(SIGTERM)
            #expect(try second.finish() == .exit(0), "\(second.complaints)")
            receiver.signal(SIGTERM)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try receiver.connections().map { $0.string("end") } == ["eof", "bye"])
        }

        @Test func aFileGoesOnWhereTheReceiverWas() throws {
            let clip = Clip()
            let input = try workspace.write(clip.y4m, to: "in.y4m")
            let port = try freePort()
            // A frame each 20 ms, so that the break comes in mid-stream. What a killed receiver did
            // not acknowledge goes to the next.
            let killed = try listen(on: port, ["--consume-ms", "20"])
            let again = try Program(
                "frame-send",
                [
                    "--to", "127.0.0.1:\(port)", "--json", "--input", input, "--loop", "--frames", "200", "--pace",
                    "max",
                    "--window", "4",
                ])
            try killed.streams("frames")
            killed.signal(SIGKILL)
            try killed.finish()
            let next = try listen(on: port, ["--once"])
            #expect(try again.finish() == .exit(0), "\(again.complaints)")
            #expect(try next.finish() == .exit(0), "\(next.complaints)")
            let summary = try again.total()
            #expect(try summary.int("acknowledged") == 200 && summary.int("lost") == 0)
            let resent = try summary.int("resent")
            #expect((1...4).contains(resent))
            #expect(try summary.int("produced") == 200)
        }

        private func file(_ frames: Int) throws -> [String] {
            let input = try workspace.write(Clip().y4m, to: "in.y4m")
            return ["--input", input, "--loop", "--frames", "\(frames)", "--pace", "max", "--window", "4"]
        }

        /// As a service manager restarts it: the sender of a file
        /// waits, and every picture arrives once.
        @Test(arguments: [SIGTERM, SIGINT]) func aFileWaitsForAReceiverThatIsRestarted(signal: Int32) throws {
            let port = try freePort()
            let stopped = try listen(on: port, ["--consume-ms", "20"])
            let sender = try sender(to: port, try file(200))
            try stopped.streams("frames")
            stopped.signal(signal)
            #expect(try stopped.finish() == .exit(0), "\(stopped.complaints)")
            let next = try listen(on: port, ["--once"])
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try next.finish() == .exit(0), "\(next.complaints)")
            let total = try sender.total()
            #expect(try total.int("acknowledged") == 200 && total.int("lost") == 0 && total.int("produced") == 200)
            let before = try stopped.total().int("frames")
            #expect(try before > 0 && before + next.total().int("frames") == 200)
        }

        @Test func withoutReconnectionAReceiverThatIsStoppedFailsAFile() throws {
            let (receiver, port) = try receiver(["--consume-ms", "20"])
            let sender = try sender(to: port, try file(200) + ["--no-reconnect"])
            try receiver.streams("frames")
            receiver.signal(SIGTERM)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try sender.finish() == .exit(1))
            let had = try sender.total().int("acknowledged")
            #expect(
                sender.complaints.contains("\(had) of 200 pictures were delivered: the receiver was stopped"),
                "\(sender.complaints)")
        }

        @Test func aReceiverThatWantsLessThanTheFileHasFailsIt() throws {
            let (receiver, port) = try receiver(["--frames", "5"])
            let sender = try sender(to: port, try file(200))
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try sender.finish() == .exit(1))
            #expect(
                sender.complaints.contains("5 of 200 pictures were delivered: the receiver wanted no more"),
                "\(sender.complaints)")
            #expect(try sender.connections().map { $0.string("goodbye_code") } == ["complete"])
        }

        /// A file that is played again and again has no end that the receiver could have missed.
        @Test func aReceiverThatWantsNoMoreOfALoopDoesNot() throws {
            let (receiver, port) = try receiver(["--frames", "65"])
            let input = try workspace.write(Clip().y4m, to: "in.y4m")
            let sender = try sender(to: port, ["--input", input, "--loop", "--pace", "max"])
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try sender.total().int("acknowledged") == 65)
        }

        @Test func aReceiverThatWantsAsManyAsTheFileHasDoesNot() throws {
            let (receiver, port) = try receiver(["--frames", "60"])
            let sender = try sender(to: port, try file(60))
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try sender.total().int("acknowledged") == 60)
        }

        @Test func receiversComeAndGoAtAListeningSender() throws {
            let sender = try Program("frame-send", ["--listen", "0", "--json"] + Self.live)
            let from = ["--from", "127.0.0.1:\(try sender.port())", "--json"]
            let lasting = try Program("frame-receive", from)
            try lasting.streams("frames")
            for _ in 0..<2 {
                let brief = try Program("frame-receive", from + ["--frames", "5"])
                #expect(try brief.finish() == .exit(0), "\(brief.complaints)")
                #expect(try brief.total().int("frames") == 5)
            }
            sender.signal(SIGTERM)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try lasting.finish() == .exit(0), "\(lasting.complaints)")
            #expect(try sender.connections().count == 3)
            let total = try sender.total()
            #expect(try total.int("produced") == total.accounted())
        }

        @Test func oneEncodingGoesToSeveral() throws {
            let (one, first) = try receiver(["--once"])
            let (two, second) = try receiver(["--once"])
            let sender = try sender(
                to: first, ["--to", "127.0.0.1:\(second)"] + pattern(30) + ["--policy", "reliable", "--encoders", "2"])
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            for receiver in [one, two] {
                #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
                #expect(try receiver.total().int("frames") == 30)
            }
            #expect(try sender.total().int("acknowledged") == 60)
        }

        @Test func aRangeOfQualitiesAndADeadline() throws {
            let ended = try stream(
                pattern(40) + ["--quality", "20...80", "--allow-scale", "--policy", "deadline:10000"])
            #expect(ended.senderEnd == .exit(0), "\(ended.sender.complaints)")
            let total = try ended.sender.total()
            #expect(try total.int("acknowledged") == 40)
            #expect(try total.int("produced") == total.accounted())
        }
    }
}
