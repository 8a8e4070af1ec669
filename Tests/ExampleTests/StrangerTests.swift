import FrameStreamingCore
import Glibc
import RawSockets
import Testing

@testable import FrameStreamingTCP

extension ExampleTests {
    /// Connections of programs that are no peers of ours.
    @Suite struct Strangers {
        private static func hello(session: UInt64) -> [UInt8] {
            var hello = Hello(
                role: 1, maximumFrameByteCount: 1 << 20, bootID: [UInt8](repeating: 7, count: 16), stream: "stray")
            hello.session = session
            return hello.marshal(.hello)
        }

        static let openings: [[UInt8]] = [
            [], [UInt8(ascii: "1")], [UInt8(ascii: "o")], Array("40, ".utf8), Array("GET / HTTP/1.0\r\n\r\n".utf8),
            [0x16, 3, 1, 0, 9], [0x81], hello(session: 0), hello(session: 9), hello(session: 10).dropLast(3),
        ]

        /// A connection that brings no picture changes neither the one stream that is waited for, nor
        /// the status.
        @Test(arguments: [[], ["--no-reconnect"]]) func aStrayConnectionNeverUsesUpOnce(arguments: [String]) throws {
            let (receiver, port) = try receiver(["--once"] + arguments)
            // Digits that announce a picture beyond the limit.
            let digits = arguments.isEmpty ? [Array("99999999999".utf8), Array("99999999, ".utf8)] : []
            for opening in Self.openings + digits {
                let stray = try RawPeer(port: port, patience: 60)
                stray.send(opening)
                stray.shutdownWriting()
                #expect(stray.waitForEnd())
            }
            let reset = try RawPeer(port: port, patience: 60)
            reset.send("12")
            reset.kill()
            let sender = try sender(to: port, pattern(3))
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try receiver.total().int("frames") == 3 && receiver.total().string("end") == "bye")
            #expect(try receiver.connections().count == 1)
        }

        @Test(
            arguments: [
                ("frame-receive", [], "open the address of the preview"),
                ("frame-send", ["--pattern"], "start a receiver with a preview"),
            ] as [(String, [String], String)])
        func aBrowserIsNamedWithItsAddressAndTheWay(name: String, arguments: [String], words: String) throws {
            let program = try Program(name, ["--listen", "tcp://127.0.0.1:0", "--json"] + arguments)
            let browser = try RawPeer(port: program.port(), patience: 60)
            browser.send("GET / HTTP/1.1\r\nHost: camera\r\n\r\n")
            #expect(browser.waitForEnd())
            try program.findComplaint("Error: 127.0.0.1:")
            try program.findComplaint("the peer speaks HTTP, as a browser does")
            #expect(program.complaints.lowercased().contains(words), "\(program.complaints)")
            program.signal(SIGINT)
            #expect(try program.finish() == .exit(0))
        }

        @Test func addressesMayHaveAScheme() throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try Program(
                "frame-send", ["--to", "tcp://127.0.0.1:\(port)/", "--json"] + pattern(2))
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(0))
        }
    }
}
