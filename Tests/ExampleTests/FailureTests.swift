import Foundation
import Testing

extension ExampleTests {
    @Suite struct Failures {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        /// A sender whose input fails exits with status 1 and never connects to a receiver.
        private func refused(_ arguments: [String]) throws -> String {
            let outcome = try run("frame-send", ["--to", "127.0.0.1:1"] + arguments)
            #expect(outcome.end == .exit(1), "\(outcome)")
            return outcome.complaints
        }

        @Test func oneOfTwoReceiversIsNotThere() throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--to", "127.0.0.1:1", "--no-reconnect"] + pattern(10))
            #expect(try sender.finish() == .exit(1))
            #expect(sender.complaints.contains("127.0.0.1:1"), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(0))
            #expect(try receiver.total().int("frames") > 0)
        }

        @Test func aMissingFile() throws {
            let complaint = try refused(["--input", workspace.file("none.y4m")])
            #expect(complaint.contains("none.y4m") && complaint.contains("No such file"))
        }

        @Test func aDirectory() throws {
            #expect(try refused(["--input", workspace.path]).contains("is a directory"))
        }

        @Test func anEmptyFile() throws {
            let input = try workspace.write([], to: "empty.y4m")
            #expect(try refused(["--input", input]).contains("empty"))
        }

        @Test func aFileThatIsNoVideo() throws {
            let input = try workspace.write(Array("hello, world, this is text".utf8), to: "text.y4m")
            #expect(try refused(["--input", input]).contains("not Y4M: give the size and pixel format"))
        }

        @Test func aFileThatIsSmallerThanAPicture() throws {
            let input = try workspace.write([UInt8](repeating: 1, count: 100), to: "small.yuv")
            let complaint = try refused(["--input", input, "--size", "64x48", "--format", "I420"])
            #expect(complaint.contains("has 100 bytes") && complaint.contains("needs 4608"))
        }

        /// Whole frames first, then the error that says what is missing.
        private func cut(_ bytes: [UInt8], _ name: String, _ arguments: [String], frames: Int, words: String) throws {
            let clip = Clip()
            let input = try workspace.write(bytes, to: name)
            let output = workspace.file("out.y4m")
            let ended = try stream(["--input", input, "--pace", "max"] + arguments, ["--record", output])
            #expect(ended.senderEnd == .exit(1))
            #expect(ended.sender.complaints.contains(words), "\(ended.sender.complaints)")
            #expect(ended.receiverEnd == .exit(1))
            #expect(
                ended.receiver.complaints.contains("the sender failed: source failed: "), "\(ended.receiver.complaints)"
            )
            #expect(try ended.receiver.total().int("frames") == frames)
            #expect(try ended.receiver.total().string("end") == "error")
            #expect(try ended.sender.total().int("acknowledged") == frames)
            let recording = try Recording(output)
            #expect(recording.pictures.count == frames && clip.difference(to: recording) == nil)
        }

        @Test func aTruncatedY4M() throws {
            let clip = Clip()
            try cut(Array(clip.y4m.dropLast(1000)), "cut.y4m", [], frames: 5, words: "1000 of 4608 bytes are missing")
        }

        @Test func aHeaderlessFileThatIsNoMultiple() throws {
            let clip = Clip()
            try cut(
                clip.raw + [UInt8](repeating: 1, count: 8), "more.yuv", ["--size", "64x48", "--format", "I420"],
                frames: 6, words: "4600 of 4608 bytes are missing")
        }

        @Test func aTruncatedMJPEG() throws {
            let clip = Clip()
            let first = try workspace.write(clip.y4m, to: "in.y4m")
            let whole = workspace.file("whole.mjpg")
            try stream(["--input", first, "--pace", "max"], ["--record", whole]).expectAllArrived(6)
            // In Y4M nothing behind a cut can be trusted; here the cut picture alone is lost.
            let input = try workspace.write(Array(try workspace.read("whole.mjpg").dropLast(20)), to: "cut.mjpg")
            let output = workspace.file("out.y4m")
            let ended = try stream(["--input", input, "--pace", "max"], ["--record", output])
            #expect(ended.senderEnd == .exit(0) && ended.receiverEnd == .exit(0))
            #expect(ended.sender.complaints.contains("picture 5: it ends after"), "\(ended.sender.complaints)")
            #expect(try ended.sender.lines.last { $0.event == "damaged" }?.int("count") == 1)
            #expect(try ended.receiver.total().int("frames") == 5 && ended.sender.total().int("acknowledged") == 5)
            let recording = try Recording(output)
            #expect(recording.pictures.count == 5 && clip.difference(to: recording) == nil)
            // A script that counts on every picture says so.
            let strict = try stream(["--input", input, "--pace", "max", "--fail-on-drop"], [])
            #expect(strict.senderEnd == .exit(1))
        }

        @Test func aHostThatDoesNotResolve() throws {
            for (name, arguments) in [
                ("frame-send", ["--pattern", "--no-reconnect", "--to", "nonexistent.invalid:5600"]),
                ("frame-send", ["--pattern", "--listen", "nonexistent.invalid:5600", "--insecure"]),
                ("frame-receive", ["--from", "nonexistent.invalid:5600", "--no-reconnect"]),
                ("frame-receive", ["--listen", "nonexistent.invalid:5600", "--insecure"]),
            ] {
                let outcome = try run(name, arguments)
                #expect(outcome.end == .exit(1))
                #expect(outcome.complaints.contains("nonexistent.invalid"), "\(outcome)")
                #expect(outcome.complaints.contains("check the host's name"), "\(outcome)")
                #expect(!outcome.output.contains("listening"))
            }
        }

        @Test func aPortThatIsTaken() throws {
            let (receiver, port) = try receiver()
            for (name, arguments) in [("frame-send", ["--pattern"]), ("frame-receive", [])] {
                let outcome = try run(name, ["--listen", "\(port)", "--json"] + arguments)
                #expect(outcome.end == .exit(1))
                #expect(outcome.complaints.contains("another program listens there"), "\(outcome)")
                let lines = outcome.output.split(separator: "\n")
                #expect(try lines.map { try Line(String($0)).event } == ["error"], "\(outcome)")
            }
            receiver.signal(SIGTERM)
            try receiver.finish()
        }

        @Test func noReceiverListens() throws {
            let (receiver, port) = try receiver()
            receiver.signal(SIGTERM)
            try receiver.finish()
            for (name, arguments) in [
                ("frame-send", ["--pattern", "--no-reconnect", "--to"]),
                ("frame-receive", ["--no-reconnect", "--from"]),
            ] {
                let outcome = try run(name, arguments + ["127.0.0.1:\(port)"])
                #expect(outcome.end == .exit(1))
                #expect(outcome.complaints.contains("no program listens there"), "\(outcome)")
            }
        }

        @Test(arguments: [
            ("none/out.y4m", "No such file or directory"), ("none/out.mjpg", "No such file or directory"),
            ("none/pictures/", "No such file or directory"), ("directory.mjpg", "Is a directory"),
            ("file", "is a file"), ("/proc/pictures/", "name a place where a directory can be created"),
            ("/proc/sys/", "no picture can be written"),
        ])
        func aRecordingThatCannotBeMadeIsRefusedBeforeASenderConnects(name: String, words: String) throws {
            try FileManager.default.createDirectory(
                atPath: workspace.file("directory.mjpg"), withIntermediateDirectories: false)
            _ = try workspace.write([1], to: "file")
            let path = name.hasPrefix("/") ? name : workspace.file(name)
            let outcome = try run("frame-receive", ["--listen", "0", "--json", "--record", path])
            #expect(outcome.end == .exit(1) && !outcome.output.contains("listening"), "\(outcome)")
            #expect(outcome.complaints.contains(path) && outcome.complaints.contains(words), "\(outcome)")
        }

        @Test func aRecordingThatIsNotBegunLeavesWhatIsThere() throws {
            let old = try workspace.write([1, 2, 3], to: "old.mjpg")
            for record in [old, workspace.file("new.mjpg"), workspace.file("pictures/")] {
                let (receiver, _) = try receiver(["--record", record])
                receiver.signal(SIGINT)
                #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            }
            #expect(try workspace.read("old.mjpg") == [1, 2, 3] && !workspace.exists("new.mjpg"))
            #expect(try workspace.names(in: "pictures").isEmpty)
        }

        @Test func aRecordingThatFailsLaterIsReportedToTheSender() throws {
            let path = workspace.file("full.mjpg")
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
            let (receiver, port) = try receiver(["--record", path])
            let refused = try Program("frame-send", ["--to", "127.0.0.1:\(port)"] + pattern(3))
            #expect(try refused.finish() == .exit(1))
            #expect(refused.output.contains("ended: error (failed: No space left"), "\(refused.output)")
            #expect(
                refused.complaints.contains("0 of 3 pictures were delivered: the receiver failed: No space left"),
                "\(refused.complaints)")
            #expect(refused.output.contains("0 of ") && refused.output.contains("failed"))
            // The next stream is recorded there, too, because a device keeps nothing: once it has room.
            try FileManager.default.removeItem(atPath: path)
            let next = try sender(to: port, pattern(3))
            #expect(try next.finish() == .exit(0), "\(next.complaints)")
            #expect(try next.total().int("acknowledged") == 3)
            #expect(try workspace.names(in: "") == ["full.mjpg"])
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(1))
            #expect(receiver.complaints.contains("full.mjpg: No space left"), "\(receiver.complaints)")
            #expect(try receiver.connections().map { $0.string("end") } == ["error", "bye"])
            #expect(try receiver.total().int("frames") == 3)
        }

        @Test(arguments: ["binary", "text"]) func picturesBeyondTheReceiversLimit(handshake: String) throws {
            let ended = try stream(
                pattern(1) + ["--no-reconnect", "--handshake", handshake],
                ["--no-reconnect", "--maximum-frame-bytes", "1000"])
            // With text only the receiver knows its limit.
            let who = handshake == "binary" ? ended.sender : ended.receiver
            #expect(ended.senderEnd == .exit(1) || handshake == "text", "\(ended.sender.complaints)")
            #expect(ended.receiverEnd == .exit(1) || handshake == "binary", "\(ended.receiver.complaints)")
            #expect(who.complaints.contains("1000: ") && who.complaints.contains("maximumFrameByteCount"))
        }

        /// Frames of noise, each larger than a socket holds, so that a stopped receiver blocks
        /// the sender in the middle of one.
        private func stuckInMidFrame() throws -> (sender: Program, receiver: Program) {
            var generator = SystemRandomNumberGenerator()
            let noise = (0..<1920 * 1080 * 3 / 8).flatMap { _ in
                let word = generator.next()
                return (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
            }
            let input = try workspace.write(noise, to: "noise.rgb")
            let (receiver, port) = try receiver(["--decode", "none", "--once", "--no-reconnect"])
            let sender = try sender(
                to: port,
                [
                    "--input", input, "--size", "1920x1080", "--format", "RGB24", "--loop", "--pace", "max",
                    "--quality", "100", "--subsampling", "4:4:4", "--window", "16", "--no-reconnect",
                ])
            try sender.streams("acknowledged")
            receiver.signal(SIGSTOP)
            // A second in which nothing moves.
            let before = try sender.lines.count
            try sender.find("a second without frames") { text in
                try sender.lines(text).dropFirst(before).contains {
                    try $0.event == "progress" && $0.int("sent") == 0 && $0.int("acknowledged") == 0
                } ? () : nil
            }
            return (sender, receiver)
        }

        @Test func aReceiverThatIsKilledInMidFrame() throws {
            let (sender, receiver) = try stuckInMidFrame()
            receiver.signal(SIGKILL)
            #expect(try receiver.finish() == .signal(SIGKILL))
            #expect(try sender.finish() == .exit(1))
            #expect(sender.complaints.contains("without a goodbye"), "\(sender.complaints)")
            let total = try sender.total()
            #expect(total.string("end") == "eof")
            #expect(try total.int("lost") > 0)
            #expect(try total.int("produced") == total.accounted())
        }

        @Test func aSenderThatIsKilledInMidFrame() throws {
            let (sender, receiver) = try stuckInMidFrame()
            sender.signal(SIGKILL)
            #expect(try sender.finish() == .signal(SIGKILL))
            receiver.signal(SIGCONT)
            #expect(try receiver.finish() == .exit(1))
            #expect(receiver.complaints.contains("without a goodbye"), "\(receiver.complaints)")
            #expect(try receiver.total().string("end") == "eof")
            #expect(try receiver.total().int("frames") > 0)
        }

        @Test(arguments: ["binary", "text"]) func aReceiverOutlivesASenderThatIsKilled(handshake: String) throws {
            let (receiver, port) = try receiver()
            let killed = try sender(to: port, ["--pattern", "--size", "64x48", "--handshake", handshake])
            try killed.streams("acknowledged")
            killed.signal(SIGKILL)
            try killed.finish()
            try receiver.line("the killed one's summary") { $0.scope == "connection" }
            let next = try sender(to: port, pattern(3))
            #expect(try next.finish() == .exit(0))
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
            #expect(try receiver.connections().map { $0.string("end") } == ["eof", "bye"])
        }

        @Test func aReceiverThatConnectedSaysThatItsSenderWasKilled() throws {
            let sender = try Program("frame-send", ["--listen", "0", "--pattern", "--size", "64x48", "--json"])
            let receiver = try Program(
                "frame-receive", ["--from", "127.0.0.1:\(sender.port())", "--json", "--no-reconnect"])
            try receiver.streams("frames")
            sender.signal(SIGKILL)
            #expect(try receiver.finish() == .exit(1))
            #expect(try receiver.total().string("end") == "eof")
        }

        @Test func theWrongHandshake() throws {
            let (receiver, port) = try receiver(["--handshake", "binary"])
            let outcome = try run(
                "frame-send",
                ["--to", "127.0.0.1:\(port)", "--pattern", "--size", "64x48", "--frames", "2", "--handshake", "text"])
            #expect(outcome.end == .exit(1), "\(outcome)")
            #expect(outcome.complaints.contains("Error: "))
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
        }
    }
}
