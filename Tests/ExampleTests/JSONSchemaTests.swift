import Foundation
import FrameStreamingCore
import FrameStreamingJPEG
import Glibc
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

extension ExampleTests {
    /// What the programs print with `--json` is what Docs/JSON.schema.json and Docs/JSON.md say.
    @Suite struct Schema {
        let schema: JSONSchema
        let workspace: Workspace

        init() throws {
            schema = try JSONSchema()
            workspace = try Workspace()
        }

        /// The events of these tests, each of which must occur in one of them.
        private static let atReceiver: Set = [
            "listening", "preview", "connected", "progress", "recording_started", "recording", "source_restored",
            "error", "stopping", "summary", "suppressed",
        ]
        private static let atSender: Set = [
            "waiting", "connected", "disconnected", "damaged", "stalled", "progress", "stopping", "summary", "input",
        ]
        private static let atPipe: Set = ["held up"]
        private static let atListeningSender: Set = ["listening", "requested", "request refused", "error"]
        private static let atDemo: Set = ["preview", "progress", "saved", "summary"]

        /// Tests/View checks the lines of frame-view, and `CameraLineTests` those of frame-cameras.
        private static let elsewhere: Set = ["snapshot", "camera"]

        private func check(
            _ programs: [Program], _ expected: Set<String>, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            var seen: Set<String> = []
            for program in programs {
                for line in try program.lines {
                    let faults = try schema.faults(of: line.text)
                    #expect(faults.isEmpty, "\(faults) in \(line.text)", sourceLocation: sourceLocation)
                    seen.insert(line.event ?? "")
                }
            }
            #expect(seen.isSuperset(of: expected), "\(expected.subtracting(seen))", sourceLocation: sourceLocation)
        }

        @Test func everyEventOfTheSchemaIsTested() {
            let tested = Self.atReceiver.union(Self.atSender).union(Self.atListeningSender).union(Self.atDemo)
                .union(Self.atPipe).union(Self.elsewhere)
            #expect(tested == schema.events, "\(tested.symmetricDifference(schema.events))")
        }

        /// The checks themselves find what they look for.
        @Test(arguments: [
            #"{"event":"saved","path":"a"}"#, #"{"event":"saved","path":7,"time":"2026-11-29T10:00:00.000Z"}"#,
            #"{"event":"saved","path":"a","time":"now"}"#, #"{"event":"else","time":"2026-11-29T10:00:00.000Z"}"#,
            #"{"event":"saved","path":"a","time":"2026-11-29T10:00:00.000Z","more":1}"#,
            #"{"event":"damaged","count":0,"reason":"a","time":"2026-11-29T10:00:00.000Z"}"#,
            #"{"event":"damaged","count":1.5,"reason":"a","time":"2026-11-29T10:00:00.000Z"}"#,
        ])
        func aWrongLineIsFound(line: String) throws {
            #expect(try !schema.faults(of: line).isEmpty)
            #expect(try schema.faults(of: #"{"event":"saved","path":"a","time":"2026-11-29T10:00:00.000Z"}"#).isEmpty)
        }

        @Test func theTablesNameEveryEventAndKey() throws {
            let text = try String(contentsOf: JSONSchema.folder.appendingPathComponent("JSON.md"), encoding: .utf8)
            let named = Set(text.matches(of: /`([a-z_0-9 ]+)`/).map { String($0.1) })
            for (name, definition) in schema.definitions {
                for event in JSONSchema.events(of: definition) { #expect(named.contains(event), "\(event)") }
                for key in (definition["properties"] as? [String: Any] ?? [:]).keys {
                    #expect(named.contains(key), "\(key) of \(name)")
                }
            }
            // A row of a table begins with an event or a key that the schema has.
            let keys = schema.definitions.values.flatMap { ($0["properties"] as? [String: Any] ?? [:]).keys }
            for row in text.matches(of: /\n\| `([a-z_ ]+)`/) {
                #expect(schema.events.contains(String(row.1)) || keys.contains(String(row.1)), "\(row.1)")
            }
        }

        private func hello(_ role: UInt8, credit: UInt64 = 0) -> Hello {
            var hello = Hello(
                role: role, maximumFrameByteCount: 1 << 24, bootID: [UInt8](repeating: 7, count: 16), stream: "raw")
            hello.session = role == 1 ? 77 : 0
            hello.creditThrough = credit
            return hello
        }

        @Test func aReceiver() throws {
            let (receiver, port) = try receiver(
                ["--record", workspace.file("out.mjpg"), "--preview", "0", "--decode", "bgr"])
            let front = try sender(to: port, pattern(3) + ["--stream", "front"])
            #expect(try front.finish() == .exit(0))
            let peer = try RawPeer(port: port, patience: 60)
            peer.send(hello(1).marshal(.hello))
            for _ in 0..<30 {
                peer.send(WireMessage.sourceLost("the cable").marshal() + WireMessage.sourceRestored.marshal())
            }
            peer.send(Bye(.complete("enough")).marshal())
            #expect(peer.waitForEnd())
            let live = try sender(to: port, ["--pattern", "--size", "64x48", "--stream", "live"])
            try receiver.line("the progress of one stream") {
                $0.event == "progress" && $0.scope == "stream" && $0.string("stream") == "live"
            }
            receiver.signal(SIGTERM)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            live.signal(SIGINT)
            #expect(try live.finish() == .exit(0), "\(live.complaints)")
            try check([receiver, front, live], Self.atReceiver)
            let connected = try #require(try receiver.lines.first { $0.event == "connected" })
            #expect(connected.string("stream") == "front" && connected.string("handshake") == "binary")
            let listening = try #require(try receiver.lines.first)
            #expect(listening.string("address") == "127.0.0.1:\(port)")
            let lost = try receiver.lines.filter { $0.string("code") == "sourceLost" }
            #expect(lost.first?.string("message") == "its source is lost: the cable")
        }

        @Test func aSender() throws {
            let codec = JPEGCodec()
            var pictures = try (0..<6).map { try Clip(frames: 6).jpeg($0, codec) }
            pictures[1].removeLast(pictures[1].count / 2)
            let input = try workspace.write(pictures.flatMap(\.self), to: "in.mjpg")
            let (receiver, port) = try receiver()
            let sender = try sender(to: port, ["--input", input, "--loop", "--policy", "reliable"])
            try sender.streams("acknowledged")
            receiver.signal(SIGSTOP)
            try sender.line("a stall") { $0.event == "stalled" }
            receiver.signal(SIGKILL)
            try receiver.finish()
            try sender.line("the break") { $0.event == "disconnected" }
            try sender.line("the wait") { $0.event == "waiting" }
            sender.signal(SIGINT)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            try check([sender], Self.atSender)
        }

        @Test func aSenderThatListens() throws {
            // Its pictures are JPEG, whose quality cannot be changed.
            let input = try workspace.write(
                try Clip(frames: 1).jpeg(0, JPEGCodec()), to: "in.mjpg")
            let sender = try Program("frame-send", ["--listen", "0", "--input", input, "--loop", "--json"])
            let port = try sender.port()
            let stranger = try RawPeer(port: port, patience: 60)
            stranger.send("GET / HTTP/1.0\r\n\r\n")
            #expect(stranger.waitForEnd())
            let peer = try RawPeer(port: port, patience: 60)
            peer.send(hello(2, credit: 1).marshal(.hello))
            // The answer and a frame: from then on it is known that frames come encoded.
            #expect(peer.receive(400).count == 400)
            for request in [ReceiverRequest.quality(10), .pause] {
                peer.send(WireMessage.request(WireRequest(request)).marshal())
            }
            try sender.line("the refusal") { $0.event == "request refused" }
            try sender.line("the request") { $0.event == "requested" }
            sender.signal(SIGINT)
            try sender.finish()
            try check([sender], Self.atListeningSender)
            let error = try #require(try sender.lines.first { $0.event == "error" })
            #expect(error.string("code") == "protocolViolation")
            #expect(error.string("address")?.hasPrefix("127.0.0.1:") == true)
        }

        @Test func aPipe() throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--input", "-"], input: .open)
            let clip = Clip(frames: 6)
            try sender.write(clip.y4m)
            try receiver.streams("frames")
            receiver.signal(SIGSTOP)
            let writing = try Background("the producer") {
                for _ in 0..<50 { try sender.write(clip.y4mFrames) }
                try sender.closeInput()
            }
            try sender.line("that the producer waits") { $0.event == "held up" }
            receiver.signal(SIGCONT)
            try writing.value()
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            try check([sender], Self.atPipe)
        }

        @Test func theDemo() throws {
            let demo = try Program(
                "frame-demo", ["--seconds", "2", "--json", "--save-last", workspace.file("last.jpg")])
            #expect(try demo.finish() == .exit(0), "\(demo.complaints)")
            try check([demo], Self.atDemo)
            let total = try demo.total()
            #expect(try total.string("role") == "receiver" && total.int("frames") > 0)
            #expect(workspace.exists("last.jpg"))
        }

        @Test(arguments: ["frame-send", "frame-receive", "frame-demo", "frame-cameras"])
        func anErrorThatEndsItIsAnEvent(
            name: String
        ) throws {
            let missing = workspace.file("none/in.y4m")
            let arguments =
                switch name {
                case "frame-receive": ["--listen", "0", "--record", missing]
                case "frame-cameras": [missing]
                case "frame-send": ["--to", "127.0.0.1:1", "--input", missing]
                default: ["--input", missing]
                }
            let program = try Program(name, arguments + ["--json"])
            #expect(try program.finish() == .exit(1))
            let line = try #require(try program.lines.last { $0.event == "error" })
            #expect(line.string("message")?.contains("none/in.y4m") == true && line.string("code") == "notFound")
            #expect(program.complaints.contains("Error: \(line.string("message") ?? "-")"), "\(program.complaints)")
            try check([program], ["error"])
        }
    }
}
