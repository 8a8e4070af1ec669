import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import FrameStreamingTCP
import Testing

extension ExampleTests {
    /// How frame-receive handles broken connections, and ends that
    /// it learns of in an unusual order.
    @Suite struct ReceiverReconnect {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        /// A sender with a session that breaks its connections on request.
        final class Breaking {
            private let connector: any TransportProvider
            private let clip: Clip
            private var transport: (any Transport)?
            private var base: UInt64 = 0
            private let codec = JPEGCodec()

            init(_ connector: any TransportProvider, _ clip: Clip) {
                self.connector = connector
                self.clip = clip
            }

            /// Connects, and returns how many frames of the session the receiver has consumed.
            func connect() throws -> UInt64 {
                let transport = try connector.nextTransport(until: .after(.seconds(60)))
                base = transport.peer.resumedFrom
                self.transport = transport
                return base
            }

            /// Sends frames of the session, and waits for their acknowledgements.
            func send(_ numbers: ClosedRange<UInt64>) throws {
                guard let transport else { throw Surprise("not connected") }
                for number in numbers {
                    let frame = try Frame(jpeg: try clip.jpeg((Int(number) - 1) % clip.frames.count, codec))
                    try transport.send(
                        .frame(frame, FrameInfo(sequence: number - base)), until: .after(.seconds(60)))
                    guard case .acknowledgement(let word) = try transport.receive(until: .after(.seconds(60))),
                        word.outcome == .consumed
                    else {
                        throw Surprise("frame \(number) was not consumed")
                    }
                }
            }

            func breakOff() { transport?.close() }

            func finish() throws { try transport?.finish("all sent", until: .after(.seconds(60))) }
        }

        private func record(_ arguments: [String], to output: String) throws -> Program {
            try Program("frame-receive", arguments + ["--json", "--record", output])
        }

        @Test func aListeningReceiverGoesOnInTheSameRecording() throws {
            let clip = Clip()
            let output = workspace.file("out.y4m")
            let receiver = try record(["--listen", "0", "--once"], to: output)
            let address = "127.0.0.1:\(try receiver.port())"
            let sender = Breaking(try TCPConnector(to: address, role: .sender), clip)
            #expect(try sender.connect() == 0)
            try sender.send(1...2)
            sender.breakOff()
            try receiver.line("the first connection's end") { $0.scope == "connection" }
            #expect(try sender.connect() == 2)
            try sender.send(3...4)
            sender.breakOff()
            #expect(try sender.connect() == 4)
            try sender.send(5...6)
            try sender.finish()
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            let recording = try Recording(output)
            #expect(recording.pictures.count == 6 && clip.difference(to: recording) == nil)
            #expect(!FileManager.default.fileExists(atPath: workspace.file("out-2.y4m")))
            #expect(try receiver.connections().map { $0.string("end") } == ["eof", "eof", "bye"])
            #expect(try receiver.total().int("frames") == 6)
            #expect(try receiver.total().string("end") == "bye")
            #expect(receiver.complaints.contains("its stream may go on"))
        }

        @Test func anotherSessionGetsARecordingOfItsOwn() throws {
            let clip = Clip()
            let receiver = try record(["--listen", "0"], to: workspace.file("out.y4m"))
            let address = "127.0.0.1:\(try receiver.port())"
            let first = Breaking(try TCPConnector(to: address, role: .sender), clip)
            let second = Breaking(try TCPConnector(to: address, role: .sender), clip)
            _ = try first.connect()
            try first.send(1...3)
            first.breakOff()
            _ = try second.connect()
            try second.send(1...6)
            try second.finish()
            #expect(try first.connect() == 3)
            try first.send(4...6)
            try first.finish()
            try receiver.find("three connections' ends") { text in
                try receiver.lines(text).count { $0.scope == "connection" } == 3 ? () : nil
            }
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            for name in ["out.y4m", "out-2.y4m"] {
                let recording = try Recording(workspace.file(name))
                #expect(recording.pictures.count == 6 && clip.difference(to: recording) == nil, "\(name)")
            }
            #expect(!FileManager.default.fileExists(atPath: workspace.file("out-3.y4m")))
        }

        @Test func aConnectingReceiverMayStartFirstAndOutlivesBreaks() throws {
            let clip = Clip()
            let output = workspace.file("out.y4m")
            // A free port, on which no program listens yet.
            let port = try TCPAcceptor(on: "0", role: .sender).port
            let receiver = try record(["--from", "127.0.0.1:\(port)"], to: output)
            try receiver.line("the wait") { $0.event == "waiting" }
            try receiver.findComplaint("waiting for 127.0.0.1:\(port): no program listens there")
            let sender = Breaking(try TCPAcceptor(on: "\(port)", role: .sender), clip)
            #expect(try sender.connect() == 0)
            try sender.send(1...4)
            sender.breakOff()
            #expect(try sender.connect() == 4)
            try sender.send(5...6)
            try sender.finish()
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            let recording = try Recording(output)
            #expect(recording.pictures.count == 6 && clip.difference(to: recording) == nil)
            let waits = try receiver.lines.filter { $0.event == "waiting" }
            #expect(waits.allSatisfy { $0.keys == ["event", "time", "address", "reason"] })
            #expect(waits.allSatisfy { $0.string("address") == "127.0.0.1:\(port)" })
            // One line for each reason: the refused connection and the break.
            #expect(waits.count == 2 && Set(waits.map { $0.string("reason") }).count == 2)
            #expect(!receiver.complaints.contains("Error"), "\(receiver.complaints)")
            #expect(try receiver.total().string("end") == "bye")
        }

        @Test(arguments: ["binary", "text"]) func aSenderThatIsKilledAndStartedAgain(_ handshake: String) throws {
            let listening = ["--pattern", "--size", "64x48", "--json", "--handshake", handshake]
            let killed = try Program("frame-send", ["--listen", "0"] + listening)
            let port = try killed.port()
            let receiver = try Program(
                "frame-receive", ["--from", "127.0.0.1:\(port)", "--json", "--handshake", handshake])
            try receiver.streams("frames")
            killed.signal(SIGKILL)
            try killed.finish()
            try receiver.line("the wait") { $0.event == "waiting" }
            let next = try Program("frame-send", ["--listen", "\(port)", "--frames", "3"] + listening)
            #expect(try next.finish() == .exit(0), "\(next.complaints)")
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(
                try receiver.connections().map { $0.string("end") } == ["eof", handshake == "text" ? "over" : "bye"])
        }

        /// Everything was acknowledged and only the goodbye is missing, which
        /// cannot be distinguished from a break.
        @Test func aStreamWhoseGoodbyeGotLostIsGivenUp() throws {
            let clip = Clip()
            let output = workspace.file("out.y4m")
            let receiver = try record(["--listen", "0", "--once", "--return-within", "1"], to: output)
            let sender = Breaking(try TCPConnector(to: "127.0.0.1:\(try receiver.port())", role: .sender), clip)
            _ = try sender.connect()
            try sender.send(1...6)
            sender.breakOff()
            #expect(try receiver.finish() == .exit(1), "\(receiver.complaints)")
            #expect(receiver.complaints.contains("has not come back within 1 s"), "\(receiver.complaints)")
            #expect(try receiver.total().int("frames") == 6 && receiver.total().string("end") == "eof")
            #expect(clip.difference(to: try Recording(output)) == nil)
        }

        /// A connection without a picture is no stream, unless it is a stream's that was away.
        @Test func soIsOneThatComesBackAndBreaksAtOnce() throws {
            let clip = Clip()
            let receiver = try record(
                ["--listen", "0", "--once", "--return-within", "3"], to: workspace.file("out.y4m"))
            let connector = try TCPConnector(to: "127.0.0.1:\(try receiver.port())", role: .sender)
            let sender = Breaking(connector, clip)
            _ = try sender.connect()
            try sender.send(1...2)
            sender.breakOff()
            // On a very slow machine the receiver may have ended before.
            _ = try? sender.connect()
            sender.breakOff()
            #expect(try receiver.finish() == .exit(1), "\(receiver.complaints)")
            #expect(receiver.complaints.contains("has not come back within 3 s"), "\(receiver.complaints)")
        }

        @Test func soIsOneThatIsConnectedTo() throws {
            let clip = Clip()
            let acceptor = try TCPAcceptor(on: "0", role: .sender)
            let receiver = try record(
                ["--from", "127.0.0.1:\(acceptor.port)", "--return-within", "1"], to: workspace.file("out.y4m"))
            let sender = Breaking(acceptor, clip)
            _ = try sender.connect()
            try sender.send(1...2)
            acceptor.cancel()
            sender.breakOff()
            #expect(try receiver.finish() == .exit(1), "\(receiver.complaints)")
            #expect(receiver.complaints.contains("has not come back within 1 s"), "\(receiver.complaints)")
        }

        @Test func anInterruptionEndsTheWait() throws {
            let port = try TCPAcceptor(on: "0", role: .sender).port
            let receiver = try Program("frame-receive", ["--from", "127.0.0.1:\(port)", "--json"])
            try receiver.line("the wait") { $0.event == "waiting" }
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
            #expect(try receiver.total().string("end") == "cancelled")
        }

        @Test func aTextStreamThatBreaksIsOver() throws {
            let (receiver, port) = try receiver(["--once"])
            let killed = try sender(to: port, ["--pattern", "--size", "64x48", "--handshake", "text"])
            try killed.streams("acknowledged")
            killed.signal(SIGKILL)
            try killed.finish()
            #expect(try receiver.finish() == .exit(1))
            #expect(receiver.complaints.contains("without a goodbye"))
        }

        @Test func aRefusalIsNotTriedAgain() throws {
            let (other, port) = try receiver()
            let outcome = try run("frame-receive", ["--from", "127.0.0.1:\(port)"])
            #expect(outcome.end == .exit(1) && outcome.complaints.contains("one must be the other"), "\(outcome)")
            other.signal(SIGINT)
            try other.finish()
        }

        @Test func aRecordingThatFailsIsNotTriedAgain() throws {
            let sender = try Program("frame-send", ["--listen", "0", "--json"] + pattern(3))
            let outcome = try run(
                "frame-receive",
                ["--from", "127.0.0.1:\(sender.port())", "--record", workspace.file("none/out.y4m")])
            #expect(outcome.end == .exit(1), "\(outcome)")
            #expect(outcome.complaints.components(separatedBy: "none/out.y4m").count == 2, "said once: \(outcome)")
            sender.signal(SIGINT)
            try sender.finish()
        }
    }
}
