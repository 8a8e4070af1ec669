import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import FrameStreamingTCP
import Glibc
import Testing

extension ExampleTests {
    /// Recordings that cannot be written, that another program changes, or of which there are many.
    @Suite struct Recordings {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        private typealias Breaking = ReceiverReconnect.Breaking

        private func breaking(_ port: Int, _ clip: Clip = Clip()) throws -> Breaking {
            Breaking(try TCPConnector(to: "127.0.0.1:\(port)", role: .sender), clip)
        }

        /// How large a file of another process may become, from now on; nil
        /// = as large as the disk has room.
        private func limitFiles(of program: Program, to bytes: Int?) throws {
            // Glibc's module does not have it. RLIMIT_FSIZE is 1.
            let symbol = unsafe try #require(unsafe dlsym(nil, "prlimit"))
            typealias Call =
                @convention(c) (
                    pid_t, CInt, UnsafePointer<rlimit>?, UnsafeMutablePointer<rlimit>?
                ) -> CInt
            let call = unsafe unsafeBitCast(symbol, to: Call.self)
            var limit = rlimit()
            try #require(unsafe call(program.id, 1, nil, &limit) == 0)
            limit.rlim_cur = bytes.map(rlim_t.init) ?? limit.rlim_max
            try #require(unsafe call(program.id, 1, &limit, nil) == 0)
        }

        /// What the program has open in the workspace, with what was removed.
        private func openFiles(of program: Program) throws -> [String] {
            let folder = "/proc/\(program.id)/fd"
            return try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0)
            }.filter { $0.hasPrefix(workspace.path) }
        }

        /// The summary of a connection is printed before its recording is closed.
        private func expectNothingOpen(of program: Program) throws {
            let limit = MonotonicTime.now.advanced(by: .seconds(60))
            while try !openFiles(of: program).isEmpty, MonotonicTime.now < limit {
                SystemClock().sleep(until: MonotonicTime.now.advanced(by: .milliseconds(10)))
            }
            #expect(try openFiles(of: program).isEmpty)
        }

        private func connectionsEnd(_ receiver: Program, _ count: Int) throws {
            try receiver.find("\(count) connections' ends") { text in
                try receiver.lines(text).count { $0.scope == "connection" } == count ? () : nil
            }
        }

        private func expectClip(_ clip: Clip, in name: String, sourceLocation: SourceLocation = #_sourceLocation) throws
        {
            let recording = try Recording(workspace.file(name))
            #expect(
                recording.pictures.count == clip.frames.count && clip.difference(to: recording) == nil, "\(name)",
                sourceLocation: sourceLocation)
        }

        @Test(arguments: ["out.y4m", "out.mjpg", "out/"]) func roomAgainIsRecordingAgain(name: String) throws {
            let (receiver, port) = try receiver(["--record", workspace.file(name)])
            let first = try breaking(port)
            _ = try first.connect()
            try first.send(1...3)
            // The disk is full, for every file, before the fourth picture.
            try limitFiles(of: receiver, to: 0)
            #expect(throws: (any Error).self) { try first.send(4...4) }
            first.breakOff()
            try connectionsEnd(receiver, 1)
            // No open descriptor keeps the space of a file that is removed now.
            try expectNothingOpen(of: receiver)
            // Another stream cannot be recorded, and leaves nothing behind.
            let refused = try Program(
                "frame-send", ["--to", "127.0.0.1:\(port)", "--json", "--no-reconnect"] + pattern(3))
            try refused.finish()
            #expect(try refused.total().int("acknowledged") == 0)
            try connectionsEnd(receiver, 2)
            #expect(try workspace.names(in: "").count == 1)
            try limitFiles(of: receiver, to: nil)
            let next = try sender(to: port, pattern(3))
            #expect(try next.finish() == .exit(0), "\(next.complaints)")
            // The stream that failed goes on behind its last whole
            // picture, if its sender comes back.
            #expect(try first.connect() == 4)
            try first.send(5...6)
            try first.finish()
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(1))
            #expect(try receiver.total().int("frames") == 8)
            let recordings = try receiver.lines.filter { $0.event == "recording" }
            #expect(try recordings.map { try $0.int("frames") } == [3, 5], "\(receiver.output)")
            #expect(
                recordings.map { $0.string("path") }
                    == [2, 1].map { RecordingPath.numbered(workspace.file(name), $0) })
            if name == "out.y4m" {
                #expect(try Recording(workspace.file(name)).pictures.count == 5)
                #expect(try Recording(workspace.file("out-2.y4m")).pictures.count == 3)
            }
            if name == "out/" { #expect(try workspace.names(in: name).count == 5) }
        }

        /// A stream whose file cannot be opened is refused: every acknowledged frame is on disk.
        @Test(arguments: [14, 18, 24]) func fewDescriptorsLoseNothing(limit: Int) throws {
            let script = "ulimit -n \(limit) && exec \"$0\" \"$@\""
            let receiver = try Program(
                "frame-receive", ["--listen", "0", "--json", "--record", workspace.file("out.mjpg")], script: script)
            let port = try receiver.port()
            let senders = try (0..<10).map { index in
                try sender(
                    to: port,
                    [
                        "--pattern", "--size", "64x48", "--frames", "30", "--policy", "reliable", "--no-reconnect",
                        "--handshake", index.isMultiple(of: 2) ? "binary" : "text",
                    ])
            }
            var acknowledged = 0
            for sender in senders {
                try sender.finish()
                acknowledged += (try? sender.total().int("acknowledged")) ?? 0
            }
            receiver.signal(SIGINT)
            try receiver.finish()
            let recorded = try workspace.names(in: "").reduce(0) { sum, name in
                let bytes = try workspace.read(name)
                return sum + bytes.indices.count { bytes[$0...].starts(with: [0xFF, 0xD8, 0xFF]) }
            }
            #expect(acknowledged > 0 && recorded == acknowledged, "\(receiver.complaints)")
        }

        /// The text handshake has one word for every outcome: a picture that
        /// could not be written must not get it.
        @Test(arguments: ["binary", "text"]) func whatCouldNotBeWrittenIsNotAcknowledged(handshake: String) throws {
            let path = workspace.file("full.mjpg")
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
            let (receiver, port) = try receiver(["--record", path])
            let refused = try sender(to: port, pattern(3) + ["--no-reconnect", "--handshake", handshake])
            try refused.finish()
            #expect(try refused.total().int("acknowledged") == 0)
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(1))
        }

        @Test func aRecordingThatIsRemovedOrCutGoesOnInAnother() throws {
            let (receiver, port) = try receiver(["--record", workspace.file("out.mjpg")])
            let sender = try breaking(port)
            _ = try sender.connect()
            try sender.send(1...2)
            try FileManager.default.removeItem(atPath: workspace.file("out.mjpg"))
            try sender.send(3...4)
            try #require(unsafe truncate(workspace.file("out-2.mjpg"), 10) == 0)
            try sender.send(5...6)
            try sender.finish()
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(receiver.complaints.contains("out.mjpg: another program removed it"), "\(receiver.complaints)")
            #expect(receiver.complaints.contains("out-2.mjpg: another program changed it (it has 10 bytes"))
            #expect(try workspace.names(in: "") == ["out-2.mjpg", "out-3.mjpg"])
            let codec = JPEGCodec()
            let last = try (4...5).flatMap { try Clip().jpeg($0, codec) }
            #expect(try workspace.read("out-3.mjpg") == last)
        }

        @Test(arguments: [24]) func streamsThatBreakAtOnceGoOnWhereTheyWere(count: Int) throws {
            let (receiver, port) = try receiver(
                ["--record", workspace.file("out.y4m"), "--maximum-connections", "\(count)"])
            // The clips have different lengths, so that each
            // recording can be matched to its sender.
            let clips = (0..<count).map { Clip(frames: 4 + $0 % 3) }
            let senders = try clips.map { try breaking(port, $0) }
            for sender in senders {
                _ = try sender.connect()
                try sender.send(1...2)
            }
            for sender in senders { sender.breakOff() }
            try connectionsEnd(receiver, count)
            // Senders may stay away for any time: a waiting session holds no descriptor.
            try expectNothingOpen(of: receiver)
            for (sender, clip) in zip(senders, clips).reversed() {
                #expect(try sender.connect() == 2)
                try sender.send(3...UInt64(clip.frames.count))
                try sender.finish()
            }
            try connectionsEnd(receiver, 2 * count)
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try workspace.names(in: "").count == count)
            for (index, clip) in clips.enumerated() {
                try expectClip(clip, in: RecordingPath.numbered("out.y4m", index + 1))
            }
        }

        @Test func aStreamThatKeepsChangingItsSizeIsRefusedInTheEnd() throws {
            let (receiver, port) = try receiver(["--record", workspace.file("out.mjpg")])
            let codec = JPEGCodec()
            let clips = [Clip(64, 48, frames: 1), Clip(80, 40, frames: 1)]
            let both = try clips.map { try $0.jpeg(0, codec) }
            let mixed = try workspace.write(
                (0..<100).flatMap { both[$0 % 2] }, to: "in.mjpeg")
            let sender = try sender(to: port, ["--input", mixed, "--pace", "max", "--no-reconnect"])
            try sender.finish()
            let acknowledged = try sender.total().int("acknowledged")
            // Sixteen are acknowledged at once, and then one every ten seconds,
            // however long this takes on the machine.
            #expect((16..<100).contains(acknowledged), "\(acknowledged)")
            // The next stream is recorded nevertheless.
            let next = try Program("frame-send", ["--to", "127.0.0.1:\(port)", "--json"] + pattern(2))
            #expect(try next.finish() == .exit(0), "\(next.complaints)")
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(1))
            #expect(receiver.complaints.contains("change their size or format too often"), "\(receiver.complaints)")
            #expect(try workspace.names(in: "").count == acknowledged + 2)
        }

        @Test func noMoreThanTheMaximumAreBegun() throws {
            let (receiver, port) = try receiver(
                ["--record", workspace.file("out.mjpg"), "--maximum-recordings", "2"])
            var acknowledged: [Int] = []
            for _ in 0..<3 {
                let sender = try sender(to: port, pattern(2) + ["--no-reconnect"])
                try sender.finish()
                acknowledged.append(try sender.total().int("acknowledged"))
            }
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(1))
            #expect(acknowledged == [2, 2, 0])
            #expect(receiver.complaints.contains("2 recordings were begun, and no more are allowed"))
            #expect(try workspace.names(in: "") == ["out-2.mjpg", "out.mjpg"])
        }

        @Test func eachRecordingIsNamedWithItsFrames() throws {
            let record = ["--record", workspace.file("out.y4m"), "--sync"]
            let ended = try stream(pattern(3) + ["--stream", "front"], record)
            try ended.expectAllArrived(3)
            let line = try #require(try ended.receiver.lines.first { $0.event == "recording" })
            #expect(line.string("stream") == "front")
            let start = try #require(try ended.receiver.lines.first { $0.event == "recording_started" })
            #expect(start.string("path") == line.string("path") && start.string("stream") == "front")
            #expect(start.string("address") == line.string("address"))
            #expect(try line.string("path") == workspace.file("out.y4m") && line.int("frames") == 3)
            // The failure is printed in words, before the total, if the stream broke.
            let receiver = try Program(
                "frame-receive", ["--listen", "127.0.0.1:0", "--record", workspace.file("out.mjpg")])
            let port = try receiver.find("the address") { text in
                text.firstMatch(of: /listening on 127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
            }
            let sender = try breaking(port)
            _ = try sender.connect()
            try sender.send(1...2)
            sender.breakOff()
            try receiver.findComplaint("without a goodbye")
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            let file = workspace.file("out.mjpg")
            #expect(receiver.output.contains(#/127\.0\.0\.1:\d+ is recorded in /#), "\(receiver.output)")
            let words = receiver.output.split(separator: "\n").suffix(2)
            #expect(words.first?.hasPrefix("recorded 2 frames in \(file), of 127.0.0.1:") == true, "\(receiver.output)")
            #expect(words.last?.hasPrefix("2 frames of 1 connection ") == true)
        }
    }
}
