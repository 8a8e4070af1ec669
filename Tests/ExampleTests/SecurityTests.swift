import Foundation
import Glibc
import Testing

extension ExampleTests {
    /// Keys: making them, admission by them, and running without one.
    @Suite struct Security {
        /// A new key's file.
        private func key(_ name: String, in workspace: Workspace, _ options: [String] = []) throws -> String {
            let file = workspace.file(name)
            let made = try run("frame-key", ["generate", file] + options)
            try #require(made.end == .exit(0), "\(made)")
            return file
        }

        private func secret(of file: String) throws -> String {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("key=") })
            return String(line.dropFirst(4))
        }

        @Test func aKeyIsMadeOnceForItsOwnerAndIsNeverPrinted() throws {
            let workspace = try Workspace()
            let file = workspace.file("door.key")
            let made = try run("frame-key", ["generate", file, "--role", "sender", "--streams", "door, gate"])
            #expect(made.end == .exit(0), "\(made)")
            var details = stat()
            try #require(unsafe stat(file, &details) == 0)
            #expect(details.st_mode & 0o777 == 0o600)
            let before = try workspace.read("door.key")
            let again = try run("frame-key", ["generate", file])
            #expect(again.end == .exit(1) && again.complaints.contains("never overwritten"), "\(again)")
            #expect(try workspace.read("door.key") == before)
            let shown = try run("frame-key", ["show", file])
            #expect(shown.output == "\(file): key of door, for a sender, for the streams door, gate\n")
            let secret = try secret(of: file)
            #expect(secret.count == 64)
            for text in [made.output, made.complaints, again.complaints, shown.output] {
                #expect(!text.contains(secret))
            }
        }

        @Test(arguments: ["binary", "text"]) func aStreamWithAKey(handshake: String) throws {
            let workspace = try Workspace()
            let key = try key("camera.key", in: workspace)
            // Beyond this machine it is let in with the key, and without --insecure.
            let receiver = try Program(
                "frame-receive", ["--listen", "0.0.0.0:0", "--json", "--once", "--key-file", key])
            let port = try receiver.port()
            // A crash would leave no core file, which would have the key in it.
            let limits = try String(contentsOfFile: "/proc/\(receiver.id)/limits", encoding: .utf8)
            #expect(limits.contains(/Max core file size\s+0\s+0\s/))
            let sent = try run(
                "frame-send",
                [
                    "--pattern", "--size", "64x48", "--frames", "10", "--policy", "reliable", "--to",
                    "127.0.0.1:\(port)", "--handshake", handshake, "--key-file", key,
                ])
            #expect(sent.end == .exit(0), "\(sent)")
            #expect(try receiver.finish() == .exit(0))
            let secret = try secret(of: key)
            #expect(!receiver.output.contains(secret) && !receiver.complaints.contains(secret))
            #expect(receiver.output.contains("\"frames\":10"), "\(receiver.output)")
            #expect(receiver.output.contains("\"identity\":\"camera\""), "\(receiver.output)")
        }

        /// Wrong keys, and none on one side: status 1 for the sender, and the receiver shows nothing
        /// and goes on.
        @Test func whoeverHasNotTheKeyIsRefused() throws {
            let workspace = try Workspace()
            let key = try key("camera.key", in: workspace)
            let other = try self.key("other.key", in: workspace)
            let receiver = try Program("frame-receive", ["--listen", "0", "--json", "--key-file", key])
            let port = try receiver.port()
            for credentials in [["--key-file", other], []] {
                let sent = try run("frame-send", ["--pattern", "--to", "127.0.0.1:\(port)"] + credentials)
                #expect(sent.end == .exit(1), "\(sent)")
            }
            let sent = try run(
                "frame-send",
                ["--pattern", "--size", "64x48", "--frames", "3", "--to", "127.0.0.1:\(port)", "--key-file", key])
            #expect(sent.end == .exit(0), "\(sent)")
            receiver.signal(SIGINT)
            try receiver.finish()
            #expect(receiver.output.contains("notAuthenticated") && receiver.output.contains("protocolViolation"))
            // The refused ones were no connections.
            #expect(receiver.output.components(separatedBy: "\"event\":\"connected\"").count == 2)
        }

        @Test func theLimitsOfAKeyHold() throws {
            let workspace = try Workspace()
            let key = try key("door.key", in: workspace, ["--streams", "door", "--role", "sender"])
            let receiver = try Program("frame-receive", ["--listen", "0", "--json", "--key-file", key])
            let port = try receiver.port()
            func send(_ stream: String) throws -> (end: Program.End, output: String, complaints: String) {
                try run(
                    "frame-send",
                    [
                        "--pattern", "--size", "64x48", "--frames", "3", "--to", "127.0.0.1:\(port)", "--key-file", key,
                        "--stream", stream,
                    ])
            }
            #expect(try send("door").end == .exit(0))
            let refused = try send("gate")
            #expect(refused.end == .exit(1) && refused.complaints.contains("needs another key"), "\(refused)")
            receiver.signal(SIGINT)
            try receiver.finish()
        }

        @Test func hangUpReadsTheKeysAgain() throws {
            let workspace = try Workspace()
            let key = try key("camera.key", in: workspace)
            let receiver = try Program("frame-receive", ["--listen", "0", "--json", "--key-file", key])
            let port = try receiver.port()
            try FileManager.default.removeItem(atPath: key)
            _ = try self.key("camera.key", in: workspace)
            let arguments = ["--pattern", "--size", "64x48", "--frames", "3", "--to", "127.0.0.1:\(port)"]
            #expect(try run("frame-send", arguments + ["--key-file", key]).end == .exit(1))
            receiver.signal(SIGHUP)
            try receiver.findComplaint("the keys were read again")
            #expect(try run("frame-send", arguments + ["--key-file", key]).end == .exit(0))
            // A file that others may read changes nothing, and ends nothing.
            try #require(unsafe chmod(key, 0o640) == 0)
            receiver.signal(SIGHUP)
            try receiver.findComplaint("the keys of before stay in use")
            try #require(unsafe chmod(key, 0o600) == 0)
            #expect(try run("frame-send", arguments + ["--key-file", key]).end == .exit(0))
            receiver.signal(SIGINT)
            try receiver.finish()
        }

        @Test(arguments: [
            (["frame-receive", "--listen", "0.0.0.0:0"], "--key-file FILE"),
            (["frame-send", "--pattern", "--listen", "[::]:0"], "--key-file FILE"),
            // A certificate of its own, and none asked of the peers.
            (["frame-receive", "--listen", "0.0.0.0:0", "--tls-cert", "a", "--tls-key", "b"], "--tls-ca FILE as well"),
            (["frame-send", "--pattern", "--listen", "127.evil.example:0"], "--key-file FILE"),
            (["frame-receive", "--listen", "0", "--key-file", "a", "--tls-ca", "b"], "not both"),
            (["frame-receive", "--listen", "0", "--tls-cert", "a"], "belong together"),
            (["frame-send", "--pattern", "--to", "a:1", "--key-file", "a", "--key-file", "b"], "once"),
            (["frame-key", "show", "a", "--role", "sender"], "for generate"),
            (["frame-key", "generate", "a", "--role", "both"], "both"),
        ]) func wrongUse(command: [String], words: String) throws {
            let outcome = try run(command[0], Array(command.dropFirst()))
            #expect(outcome.end == .exit(64) && outcome.complaints.contains(words), "\(outcome)")
        }

        @Test func whoListensBeyondThisMachineMayMeanIt() throws {
            let receiver = try Program("frame-receive", ["--listen", "0.0.0.0:0", "--json", "--insecure"])
            _ = try receiver.port()
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
        }

        @Test(
            arguments: [
                ("far.invalid:1", [], true), ("far.invalid:1", ["--insecure"], false), ("localhost:1", [], false),
            ]
                as [(String, [String], Bool)])
        func whoConnectsBeyondThisMachineIsTold(address: String, options: [String], isTold: Bool) throws {
            let sent = try run("frame-send", ["--pattern", "--no-reconnect", "--to", address] + options)
            #expect(sent.end == .exit(1), "\(sent)")
            let words = "anybody on the way can read and change the pictures"
            #expect(sent.complaints.components(separatedBy: words).count == (isTold ? 2 : 1), "\(sent)")
        }

        @Test func aMissingKeyIsAnErrorBeforeAnythingIsDone() throws {
            let workspace = try Workspace()
            let receiver = try run("frame-receive", ["--listen", "0", "--key-file", workspace.file("none.key")])
            #expect(receiver.end == .exit(1) && receiver.complaints.contains("none.key"), "\(receiver)")
            #expect(!receiver.output.contains("listening"))
        }
    }
}
