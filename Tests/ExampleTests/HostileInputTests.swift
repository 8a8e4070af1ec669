import Foundation
import RawSockets
import Testing

extension ExampleTests {
    /// A receiver that strangers can reach, with a healthy stream beside them.
    @Suite struct HostileInput {
        private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("FrameStreamingTCPTests")

        private static func bytes(hex: some StringProtocol) throws -> [UInt8] {
            let digits = Array(hex.utf8)
            return try stride(from: 0, to: digits.count, by: 2).map { index in
                let pair = String(decoding: digits[index..<min(index + 2, digits.count)], as: UTF8.self)
                guard let byte = UInt8(pair, radix: 16) else { throw Surprise("no hex: \(pair)") }
                return byte
            }
        }

        private static func hello() throws -> [UInt8] {
            let golden = try String(
                contentsOf: tests.appendingPathComponent("Golden/protocol-1.txt"), encoding: .utf8)
            guard let line = golden.split(separator: "\n").first(where: { $0.hasPrefix("HELLO ") }) else {
                throw Surprise("no golden HELLO")
            }
            return try bytes(hex: line.dropFirst(6))
        }

        /// What each file of the corpus sends, behind the HELLO that some of them need.
        private static func corpus() throws -> [(name: String, bytes: [UInt8])] {
            let hello = try hello()
            let folder = tests.appendingPathComponent("Malformed")
            return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
                let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
                let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
                let hex = lines.filter { !$0.contains(":") }.joined()
                return (name, (lines.contains("after: hello") ? hello : []) + (try bytes(hex: hex)))
            }
        }

        /// A figure of /proc/PID/status in kB.
        private func memory(_ program: Program, _ key: String) throws -> Int {
            let status = try String(contentsOfFile: "/proc/\(program.id)/status", encoding: .utf8)
            guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(key + ":") }),
                let number = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) })
            else { throw Surprise("no \(key) in \(status)") }
            return number
        }

        /// Does `harm` beside a stream: the stream must not lose a frame, and the
        /// receiver must neither grow nor end.
        private func beside(limit: Int, _ harm: (Int) throws -> Void) throws {
            let (receiver, port) = try receiver()
            let healthy = try sender(
                to: port,
                ["--pattern", "--size", "64x48", "--policy", "reliable", "--stream", "healthy", "--rate", "20"])
            try receiver.streams("frames")
            let before = try memory(receiver, "VmRSS")
            try harm(port)
            let growth = try memory(receiver, "VmHWM") - before
            #expect(growth < limit, "it grew by \(growth) kB")
            // The receiver still accepts connections, and the stream beside goes on.
            let next = try sender(to: port, pattern(3, size: "64x48"))
            #expect(try next.finish() == .exit(0), "\(next.complaints)")
            let lines = try receiver.lines.count
            try receiver.find("a second more") { text in
                try receiver.lines(text).dropFirst(lines).contains {
                    try $0.event == "progress" && $0.int("frames") > 0
                } ? () : nil
            }
            healthy.signal(SIGINT)
            #expect(try healthy.finish() == .exit(0), "\(healthy.complaints)")
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
            let total = try healthy.total()
            #expect(try total.int("acknowledged") == total.int("sent"))
            let connection = try #require(
                try receiver.connections().first { $0.string("stream") == "healthy" })
            #expect(connection.string("end") == "bye")
            #expect(try connection.int("frames") == total.int("acknowledged"))
            #expect(try connection.int("decode_failures") == 0)
        }

        @Test func theCorpus() throws {
            let corpus = try Self.corpus()
            #expect(corpus.count >= 50)
            try beside(limit: 16_000) { port in
                for (name, bytes) in corpus {
                    let client = try RawPeer(port: port, patience: 60)
                    client.send(bytes)
                    client.shutdownWriting()
                    #expect(client.waitForEnd(), "\(name)")
                }
            }
        }

        @Test func randomBytes() throws {
            var generator = SystemRandomNumberGenerator()
            try beside(limit: 16_000) { port in
                for first: UInt8 in [0x81, 0x84, 0xFF, 0x00, UInt8(ascii: "7"), UInt8(ascii: "o"), UInt8(ascii: "G")] {
                    let client = try RawPeer(port: port, patience: 60)
                    client.send([first] + (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &generator) })
                    client.shutdownWriting()
                    #expect(client.waitForEnd())
                }
            }
        }

        @Test func impossibleLengths() throws {
            try beside(limit: 16_000) { port in
                for header in ["1000000000000, ", "-5, ", String(repeating: "9", count: 32) + ", ", "0, ", "12x, "] {
                    let client = try RawPeer(port: port, patience: 60)
                    client.send(header)
                    // Without another byte from here: the header alone is refused.
                    #expect(client.waitForEnd(), "\(header)")
                }
            }
        }

        @Test func aHeaderOneByteAtATimeForEver() throws {
            let hello = try Self.hello()
            try beside(limit: 16_000) { port in
                let binary = try RawPeer(port: port, patience: 60)
                // Only a part of this HELLO arrives within the handshake's time limit, so the
                // connection is cut long before its end.
                #expect(binary.trickle(Array(hello.dropLast()) + [UInt8](repeating: 0, count: 200)))
                let text = try RawPeer(port: port, patience: 60)
                #expect(text.trickle([UInt8](repeating: UInt8(ascii: "1"), count: 200)))
            }
        }

        @Test func silentPeersAreDisconnected() throws {
            try beside(limit: 16_000) { port in
                let silent = try (0..<8).map { _ in try RawPeer(port: port, patience: 60) }
                for client in silent { #expect(client.waitForEnd()) }
            }
        }

        @Test func twoHundredAtOnce() throws {
            try beside(limit: 40_000) { port in
                let crowd = try (0..<200).map { _ in try RawPeer(port: port, patience: 60) }
                for (index, client) in crowd.enumerated() where index.isMultiple(of: 2) { client.send("12") }
                for client in crowd.dropFirst(100) { client.shutdownWriting() }
                // Connections beyond the cap are refused at once, and
                // the others when they stay silent.
                #expect(crowd.dropFirst(100).allSatisfy { $0.waitForEnd() })
            }
        }
    }
}
