import Foundation
import FrameStreamingSystem
import Glibc
import RawSockets
import Testing

extension ExampleTests {
    @Suite struct Preview {
        /// A receiver with a preview, and where both are.
        private func previewing(_ arguments: [String] = []) throws -> (receiver: Program, port: Int, page: Int) {
            let (receiver, port) = try receiver(["--preview", "0"] + arguments)
            let line = try receiver.line("the preview's address") { $0.event == "preview" }
            let url = try #require(line.string("url"))
            let page = try #require(url.dropLast().split(separator: ":").last.flatMap { Int($0) })
            #expect(line.keys == ["event", "time", "url", "others"] && url == "http://127.0.0.1:\(page)/")
            return (receiver, port, page)
        }

        /// The body of an answer with status 200.
        private func get(_ path: String, _ port: Int) throws -> String {
            let client = try RawPeer(port: port, patience: 60)
            client.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            let answer = String(decoding: client.receiveToEnd(), as: UTF8.self)
            guard answer.hasPrefix("HTTP/1.1 200 "), let end = answer.range(of: "\r\n\r\n") else {
                throw Surprise("\(path): \(answer)")
            }
            return String(answer[end.upperBound...])
        }

        /// Polls the list of streams until it is as expected, because the
        /// page does not report changes here.
        private func streams(
            _ port: Int, _ what: String, _ isIt: ([Line]) throws -> Bool
        ) throws -> [Line] {
            let limit = Date.now.addingTimeInterval(Program.patience)
            while true {
                let object = try JSONSerialization.jsonObject(with: Data(get("/api/streams", port).utf8))
                let found = try ((object as? [String: Any])?["streams"] as? [Any] ?? []).map {
                    try Line(String(decoding: JSONSerialization.data(withJSONObject: $0), as: UTF8.self))
                }
                if try isIt(found) { return found }
                guard Date.now < limit else { throw Surprise("\(what) did not come: \(found.map(\.text))") }
                usleep(5000)
            }
        }

        @Test func streamsComeAndGoAndComeBack() throws {
            let (receiver, port, page) = try previewing()
            #expect(try get("/", page).contains("<html"))
            let arguments = ["--pattern", "--size", "64x48", "--stream", "front door"]
            let sender = try Program("frame-send", ["--to", "127.0.0.1:\(port)", "--json"] + arguments)
            // The first answers may be too slow to show that both read one clock.
            let live = try streams(page, "a picture on one clock") {
                try $0.count == 1 && $0[0].int("frames") > 2 && !$0[0].isNull("clock_error_ms")
                    && $0[0].double("clock_error_ms") == 0
            }[0]
            #expect(live.string("name") == "front door" && live.string("state") == "live")
            let connected = try receiver.line("the connection") { $0.event == "connected" }
            #expect(connected.string("url") == "http://127.0.0.1:\(page)/streams/front%20door.mjpg")
            #expect(try live.int("width") == 64)
            #expect(try live.nested("latency_ms").double("p50") >= 0)
            #expect(try get("/metrics", page).contains("framestreaming_stream_up{stream=\"front door\"} 1\n"))

            // A sender that is killed and started again keeps its tile.
            sender.signal(SIGKILL)
            _ = try sender.finish()
            let lost = try streams(page, "the loss") { $0.first?.string("state") == "lost" }[0]
            #expect(lost.string("reason")?.isEmpty == false)
            let again = try Program("frame-send", ["--to", "127.0.0.1:\(port)", "--json"] + arguments)
            let back = try streams(page, "the return") { $0.first?.string("state") == "live" }
            #expect(back.count == 1 && back[0].isNull("reason"))
            // Before that it would end without a goodbye, and its tile would be lost once more.
            _ = try again.line("the connection") { $0.event == "connected" }
            again.signal(SIGINT)
            #expect(try again.finish() == .exit(0))
            let ended = try streams(page, "the end") { $0.first?.string("state") == "ended" }
            #expect(ended.count == 1 && ended[0].string("reason")?.isEmpty == false)

            // A viewer that does not read delays neither the stream nor other viewers.
            let viewer = try RawPeer(port: page, patience: 60)
            viewer.send("GET /streams/front%20door.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(viewer.receiveText(15) == "HTTP/1.1 200 OK")
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(viewer.waitForEnd())
            #expect(try receiver.total().string("end") == "cancelled")
        }

        @Test func aTextClientIsAStreamToo() throws {
            let (receiver, port, page) = try previewing()
            let sender = try sender(to: port, ["--pattern", "--size", "64x48", "--handshake", "text"])
            let stream = try streams(page, "a picture") { try $0.count == 1 && $0[0].int("frames") > 2 }[0]
            #expect(stream.string("name") == "from 127.0.0.1" && stream.isNull("latency_ms"))
            #expect(stream.isNull("skipped_by_sender") && stream.string("pixel_format") == "JPEG")
            sender.signal(SIGINT)
            #expect(try sender.finish() == .exit(0))
            receiver.signal(SIGTERM)
            #expect(try receiver.finish() == .exit(0))
        }

        /// What a person reads: where the stream can be seen, and from which other machines.
        @Test func theAddressesArePrinted() throws {
            let receiver = try Program(
                "frame-receive", ["--listen", "127.0.0.1:0", "--preview", "0.0.0.0:0", "--insecure"])
            let port = try receiver.find("the port") { text -> Int? in
                text.firstMatch(of: /listening on 127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
            }
            let page = try receiver.find("the page") { text -> Int? in
                text.firstMatch(of: /pictures at http:\/\/[^:]+:(\d+)\//).flatMap { Int($0.1) }
            }
            let sender = try sender(to: port, ["--pattern", "--size", "64x48", "--stream", "front door"])
            let address = try receiver.find("the stream's address") { text -> String? in
                text.firstMatch(of: /"front door" connected \(.*\), pictures at (http:\S+)\n/).map { String($0.1) }
            }
            #expect(address.hasSuffix(":\(page)/streams/front%20door.mjpg"))
            let others = reachableAddresses(hasIPv6: false)
            for other in others { #expect(receiver.output.contains("from other machines: http://\(other):\(page)/\n")) }
            if let other = others.first { #expect(address.hasPrefix("http://\(other):")) }
            sender.signal(SIGINT)
            #expect(try sender.finish() == .exit(0))
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
        }

        /// The page without a stream has the command that sends one here.
        @Test func theEmptyPageKnowsTheCommand() throws {
            let (receiver, port, page) = try previewing()
            let object = try Line(get("/api/streams", page))
            #expect(try object.nested("invitation").string("command") == "frame-send --pattern --to 127.0.0.1:\(port)")
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
        }

        @Test func aPortThatIsTaken() throws {
            let (receiver, _, page) = try previewing()
            let outcome = try run("frame-receive", ["--listen", "0", "--preview", "\(page)"])
            #expect(outcome.end == .exit(1) && outcome.complaints.contains("choose another port"), "\(outcome)")
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
        }

        /// The ports that a program listens on: its sockets that the kernel has as LISTEN (0A).
        private func listening(_ program: Program) throws -> Int {
            let directory = "/proc/\(program.id)/fd"
            let own = Set(
                try FileManager.default.contentsOfDirectory(atPath: directory).compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)")
                })
            return try String(contentsOfFile: "/proc/\(program.id)/net/tcp", encoding: .utf8).split(separator: "\n")
                .count { line in
                    let columns = line.split(separator: " ")
                    return columns.count > 9 && columns[3] == "0A" && own.contains("socket:[\(columns[9])]")
                }
        }

        @Test func withoutTheOptionThereIsNoPreview() throws {
            let (receiver, _) = try receiver()
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(receiver.id)/task")
            let names = try threads.map {
                try String(contentsOfFile: "/proc/\(receiver.id)/task/\($0)/comm", encoding: .utf8)
            }
            #expect(!names.contains("fs-viewers\n"))
            #expect(try listening(receiver) == 1)
            let (other, _, _) = try previewing()
            #expect(try listening(other) == 2)
            other.signal(SIGINT)
            #expect(try other.finish() == .exit(0))
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
        }

        @Test(arguments: [
            (["frame-receive", "--listen", "0", "--preview", "0.0.0.0:0"], "--insecure"),
            // A token that anybody on the way could read, and HTTPS for everybody.
            (["frame-receive", "--listen", "0", "--preview", "0.0.0.0:0", "--preview-link"], "--preview-tls"),
            (["frame-receive", "--listen", "0", "--preview", "[::]:0", "--preview-tls"], "--preview-token-file FILE"),
            (["frame-receive", "--listen", "0", "--preview-link"], "give --preview as well"),
            (
                [
                    "frame-receive", "--listen", "0", "--preview", "0", "--preview-link", "--preview-token-file", "a",
                ], "give one of them"
            ),
            (
                [
                    "frame-receive", "--listen", "0", "--preview", "0", "--tls-cert", "a", "--tls-key", "b",
                    "--preview-tls-file", "c",
                ], "give one of them"
            ),
            (["frame-demo", "--no-preview", "--preview-link"], "give --preview as well"),
            (["frame-receive", "--listen", "0", "--preview", "x"], "the port must be a number from 0 to 65535, not x"),
            (["frame-receive", "--listen", "0", "--insecure"], "--preview HOST:PORT"),
            (["frame-demo", "--preview", "0.0.0.0:0"], "--insecure"),
            (["frame-demo", "--preview", "0", "--no-preview"], "one of them"),
            (["frame-demo", "--insecure"], "--preview HOST:PORT"),
        ]) func badUsage(command: [String], words: String) throws {
            let outcome = try run(command[0], Array(command.dropFirst()))
            #expect(outcome.end == .exit(64) && outcome.complaints.contains(words), "\(outcome)")
        }

        @Test func theDemonstrationHasAPage() throws {
            let demo = try Program("frame-demo", [])
            let port = try demo.find("the page's address") { text -> Int? in
                guard let start = text.range(of: "pictures at http://127.0.0.1:") else { return nil }
                return Int(text[start.upperBound...].prefix { $0.isNumber })
            }
            let stream = try streams(port, "pictures") { try $0.count == 1 && $0[0].int("frames") > 2 }[0]
            #expect(stream.string("name") == "demo" && stream.string("state") == "live")
            demo.signal(SIGINT)
            #expect(try demo.finish() == .exit(0))
            #expect(demo.output.contains("delay from capture to consumed"))
            let quiet = try run("frame-demo", ["--seconds", "1", "--no-preview"])
            #expect(quiet.end == .exit(0) && !quiet.output.contains("pictures at http"), "\(quiet)")
        }
    }
}
