import Foundation
import FrameStreamingCore
import RawSockets
import Testing

@testable import FrameStreamingTCP

extension ExampleTests {
    /// A peer's text reaches the terminal and the log as one printable line, and at a limited rate.
    @Suite struct HostileText {
        /// A title for the terminal, a cleared screen, colours in C0 and C1, two forged
        /// lines, and a reversed direction.
        private static let evil =
            "evil\u{1B}]0;owned\u{7}\u{1B}[2J\u{1B}[31m\r\n127.0.0.1:1 \"FORGED\" connected\nError: FORGED line"
            + "\u{9B}31m\0\u{202E}\u{2028}\u{200B}\u{FEFF}" + String(repeating: "long ", count: 100)

        /// A stream's name may have 255 bytes.
        private static let evilName = String(decoding: Array(evil.utf8).prefix(255), as: UTF8.self)

        /// More of it than 200 characters can have.
        private static let mostPrinted = String(repeating: "long ", count: 40)

        private static func hello(_ role: UInt8, credit: UInt64 = 0) -> Hello {
            var hello = Hello(
                role: role, maximumFrameByteCount: 64 << 20, bootID: [UInt8](repeating: 7, count: 16), stream: evil)
            hello.session = role == 1 ? 77 : 0
            hello.creditThrough = credit
            return hello
        }

        /// Frames that are no JPEG, within the credit that a receiver gives at once.
        private static func rubbish(_ count: UInt64) -> [UInt8] {
            (1...count).flatMap { sequence in
                let header = FrameHeader(
                    info: FrameInfo(sequence: sequence), width: 16, height: 16, pixelFormat: .jpeg)
                return header.marshal(metadata: [], imageBytes: 4) + [0xFF, 0xD8, 0, 0]
            }
        }

        /// Both outputs: nothing but whole lines of printable characters,
        /// and no line that the peer forged.
        private func judge(_ program: Program, json: Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
            for text in [program.output, program.complaints] {
                let bad = text.unicodeScalars.filter { scalar in
                    switch scalar.properties.generalCategory {
                    case .control: scalar != "\n"
                    case .format, .lineSeparator, .paragraphSeparator: true
                    default: false
                    }
                }
                #expect(bad.isEmpty, "\(program.name): \(bad)", sourceLocation: sourceLocation)
                for line in text.split(separator: "\n") {
                    let isForged = line.hasPrefix("127.0.0.1:1 ") || line.hasPrefix("Error: FORGED")
                    #expect(!isForged, "\(line)", sourceLocation: sourceLocation)
                    // A text of 700 characters is cut to 200, and printed once or twice.
                    let isObject = line.hasPrefix("{")
                    if !isObject {
                        #expect(line.count < 700, "\(line)", sourceLocation: sourceLocation)
                        #expect(!line.contains(Self.mostPrinted), "\(line)", sourceLocation: sourceLocation)
                    }
                }
            }
            if json { #expect(try !program.lines.isEmpty, sourceLocation: sourceLocation) }
        }

        /// A program that listens, as people or programs read it, and its port.
        private func listening(_ name: String, _ arguments: [String], json: Bool) throws -> (Program, Int) {
            let program = try Program(name, arguments + ["--listen", "0"] + (json ? ["--json"] : []))
            if json { return (program, try program.port()) }
            return (
                program,
                try program.find("the listening line") { text in
                    text.split(separator: "\n").first { $0.hasPrefix("listening on ") && text.contains("\n") }
                        .flatMap { Int($0.split(separator: ":").last ?? "") }
                }
            )
        }

        @Test(arguments: [false, true]) func aSenderAtAReceiver(json: Bool) throws {
            let (receiver, port) = try listening(
                "frame-receive",
                [
                    // Small pictures have more credit from the start.
                    "--verbose", "--once", "--maximum-frame-bytes", "1000000",
                ], json: json)
            let peer = try RawPeer(port: port)
            peer.send(Self.hello(1).marshal(.hello))
            peer.send(Self.rubbish(12))
            let lost = WireMessage.sourceLost(Self.evil).marshal()
            for _ in 0..<20 { peer.send((0..<50).flatMap { _ in lost }) }
            peer.send((0..<500).flatMap { _ in WireMessage.sourceRestored.marshal() })
            peer.send(Bye(.complete(Self.evil)).marshal())
            #expect(peer.waitForEnd())
            peer.shutdownWriting()
            // No picture could be decoded.
            #expect(try receiver.finish() == .exit(1), "\(receiver.complaints)")
            try judge(receiver, json: json)
            let complaints = receiver.complaints.split(separator: "\n")
            let losses = complaints.count {
                $0.hasPrefix("Error: 127.0.0.1:") && $0.contains(": its source is lost: evil\\u{1B}]0;owned\\u{7}")
            }
            #expect((1...200).contains(losses))
            let left = complaints.filter { $0.hasPrefix("source lost: ... and ") }.compactMap {
                Int($0.filter(\.isNumber).dropLast())
            }
            #expect(!left.isEmpty)
            #expect(complaints.contains { $0.hasPrefix("undecodable frame: ... and ") })
            if json {
                // The whole text, for programs.
                let summary = try #require(try receiver.connections().first)
                #expect(summary.string("goodbye") == Self.evil)
                #expect(summary.string("stream")?.hasPrefix("evil\u{1B}]0;owned\u{7}") == true)
                let errors = try receiver.lines.filter { $0.event == "error" }.compactMap { $0.string("message") }
                let lost = errors.filter { $0.contains("its source is lost") }
                let undecodable = errors.filter { $0.contains(": frame ") }
                #expect(!lost.isEmpty && lost.allSatisfy { $0.contains(Self.evil) }, "\(lost)")
                #expect(
                    !undecodable.isEmpty && undecodable.allSatisfy { $0.contains("\"\(Self.evilName)\"") },
                    "\(undecodable)")
                let suppressed = try receiver.lines.filter {
                    $0.event == "suppressed" && $0.string("kind") == "source lost"
                }
                #expect(try suppressed.reduce(0) { try $0 + $1.int("count") } + losses == 1_000)
            } else {
                #expect(receiver.output.contains("\"evil\\u{1B}]0;owned\\u{7}"))
                #expect(receiver.output.contains("ended: bye (evil\\u{1B}"))
            }
        }

        @Test(arguments: [false, true]) func aReceiverAtASender(json: Bool) throws {
            let (sender, port) = try listening("frame-send", ["--pattern", "--size", "64x48"], json: json)
            let peer = try RawPeer(port: port)
            peer.send(Self.hello(2, credit: 1).marshal(.hello))
            let pause = WireMessage.request(WireRequest(.pause)).marshal()
            for _ in 0..<20 { peer.send((0..<50).flatMap { _ in pause }) }
            peer.send(Bye(.complete(Self.evil)).marshal())
            #expect(peer.waitForEnd())
            peer.shutdownWriting()
            sender.signal(SIGINT)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            try judge(sender, json: json)
            #expect(sender.complaints.contains("requested: ... and "))
            let requests =
                json
                ? try sender.lines.count { $0.event == "requested" }
                : sender.complaints.split(separator: "\n").count { $0.contains(" asks for: pause") }
            #expect((1...200).contains(requests))
        }

        @Test(arguments: [false, true]) func aListenerAtAConnectingProgram(json: Bool) throws {
            for (name, arguments, role): (String, [String], UInt8) in [
                ("frame-send", ["--pattern", "--no-reconnect", "--to"], 2),
                ("frame-receive", ["--once", "--no-reconnect", "--from"], 1),
            ] {
                for answer in [
                    Reject(.unspecified, Self.evil).marshal(), Reject(.busy, Self.evil).marshal(),
                    Self.hello(role, credit: role == 2 ? 16 : 0).marshal(.welcome)
                        + Bye(.complete(Self.evil)).marshal(),
                    Self.hello(role, credit: role == 2 ? 16 : 0).marshal(.welcome)
                        + Bye(.failed(Self.evil)).marshal(),
                    Self.hello(role, credit: role == 2 ? 16 : 0).marshal(.welcome)
                        + Bye(.unsupported(Self.evil)).marshal(),
                ] {
                    let listener = try RawListener()
                    let program = try Program(
                        name, arguments + ["127.0.0.1:\(listener.port)"] + (json ? ["--json"] : []))
                    let peer = listener.accept()
                    peer.send(answer)
                    peer.shutdownWriting()
                    _ = try program.finish()
                    try judge(program, json: json)
                    #expect((program.output + program.complaints).contains(json ? "evil\\u" : "evil\\u{1B}]0;owned"))
                    if json {
                        // The whole text, for programs.
                        let texts = try program.lines.flatMap { line in
                            ["message", "reason", "goodbye"].compactMap { line.string($0) }
                        }
                        #expect(texts.contains { $0.contains(Self.evil) }, "\(program.output)")
                    }
                }
            }
        }

        /// A stray with a name, and a stream that broke and stays away.
        @Test(arguments: [[], ["--return-within", "1"]]) func namesInErrorsAreWhole(arguments: [String]) throws {
            let (receiver, port) = try listening("frame-receive", ["--once"] + arguments, json: true)
            let isStray = arguments.isEmpty
            let peer = try RawPeer(port: port)
            peer.send(Self.hello(1).marshal(.hello))
            // From the answer on there is a connection.
            #expect(peer.receive(40).count == 40)
            if !isStray {
                peer.send(Self.rubbish(1))
                try receiver.line("the picture") { $0.event == "error" }
            }
            peer.kill()
            let words = isStray ? "no stream came" : "has not come back within 1 s"
            let error = try receiver.line("an error with the name") {
                $0.event == "error" && $0.string("message")?.contains(words) == true
            }
            #expect(error.string("message")?.contains("\"\(Self.evilName)\": ") == true, "\(error.text)")
            receiver.signal(SIGINT)
            _ = try receiver.finish()
            try judge(receiver, json: true)
        }

        @Test func manyThatComeToNothing() throws {
            let (receiver, port) = try listening("frame-receive", [], json: false)
            for _ in 0..<400 {
                let peer = try RawPeer(port: port)
                peer.send("x\u{1B}[2J, ")
                #expect(peer.waitForEnd())
            }
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            try judge(receiver, json: false)
            #expect(receiver.complaints.contains("refused: ... and "))
            #expect(receiver.complaints.split(separator: "\n").count < 400)
        }
    }
}
