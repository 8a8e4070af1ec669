import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import FrameStreamingTCP
import Testing

extension ExampleTests {
    /// Recordings whose files exist already.
    @Suite struct Overwriting {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        private func directory(_ name: String, holding file: String) throws {
            try FileManager.default.createDirectory(
                atPath: workspace.file(name), withIntermediateDirectories: false)
            _ = try workspace.write([7], to: "\(name)/\(file)")
        }

        @Test(arguments: ["old.y4m", "old.mjpg", "link.mjpg", "pictures", "pictures/"])
        func whatIsThereIsRefusedWhereThatIsAskedFor(name: String) throws {
            for file in ["old.y4m", "old.mjpg"] { _ = try workspace.write([7], to: file) }
            try FileManager.default.createSymbolicLink(
                atPath: workspace.file("link.mjpg"), withDestinationPath: workspace.file("old.mjpg"))
            try directory("pictures", holding: "frame-000012.jpg")
            let path = workspace.file(name)
            let outcome = try run("frame-receive", ["--listen", "0", "--json", "--no-overwrite", "--record", path])
            #expect(outcome.end == .exit(1) && !outcome.output.contains("listening"), "\(outcome)")
            #expect(outcome.complaints.contains("\(path): there is a recording already"), "\(outcome)")
            for file in ["old.y4m", "old.mjpg", "pictures/frame-000012.jpg"] {
                #expect(try workspace.read(file) == [7])
            }
        }

        @Test(arguments: [
            ("old.y4m", "old-2.y4m"), ("old.mjpg", "old-2.mjpg"), ("link.mjpg", "link-2.mjpg"),
            ("pictures", "pictures-2/frame-000001.jpg"), ("pictures/", "pictures-2/frame-000001.jpg"),
        ])
        func whatIsThereIsKeptAndTheNextNameIsTaken(name: String, next: String) throws {
            for file in ["old.y4m", "old.mjpg"] { _ = try workspace.write([7], to: file) }
            try FileManager.default.createSymbolicLink(
                atPath: workspace.file("link.mjpg"), withDestinationPath: workspace.file("old.mjpg"))
            try directory("pictures", holding: "frame-000012.jpg")
            let ended = try stream(pattern(2), ["--record", workspace.file(name)])
            try ended.expectAllArrived(2)
            #expect(ended.receiver.complaints.contains("there is a recording already, which stays"))
            for file in ["old.y4m", "old.mjpg", "pictures/frame-000012.jpg"] {
                #expect(try workspace.read(file) == [7])
            }
            #expect(try workspace.names(in: "pictures") == ["frame-000012.jpg"])
            #expect(try workspace.read(next).count > 100)
        }

        @Test(arguments: ["old.y4m", "old.mjpg", "pictures/"]) func whatIsThereIsReplacedWhereThatIsAskedFor(
            name: String
        ) throws {
            for file in ["old.y4m", "old.mjpg"] { _ = try workspace.write([7], to: file) }
            try directory("pictures", holding: "frame-000012.jpg")
            _ = try workspace.write([7], to: "pictures/frame-000001.jpg")
            let ended = try stream(pattern(2), ["--overwrite", "--record", workspace.file(name)])
            try ended.expectAllArrived(2)
            if name == "pictures/" {
                // Pictures of two runs never mix.
                #expect(try workspace.names(in: name) == ["frame-000001.jpg", "frame-000002.jpg"])
                #expect(try workspace.read("pictures/frame-000001.jpg").count > 100)
            } else {
                #expect(try workspace.read(name).count > 100)
            }
        }

        /// What was acknowledged before a kill is still on disk after any number
        /// of starts with the same arguments.
        @Test(arguments: ["out.y4m", "out.mjpg", "out/"]) func aKilledReceiverThatIsStartedAgainKeepsAll(name: String)
            throws
        {
            var acknowledged: [Int] = []
            for _ in 0..<3 {
                let (receiver, port) = try receiver(["--record", workspace.file(name)])
                let sender = try sender(
                    to: port, ["--pattern", "--size", "64x48", "--policy", "reliable", "--no-reconnect"])
                try sender.streams("acknowledged")
                receiver.signal(SIGKILL)
                try sender.finish()
                acknowledged.append(try sender.total().int("acknowledged"))
            }
            for (index, count) in acknowledged.enumerated() {
                let recorded = try frames(in: RecordingPath.numbered(name, index + 1))
                #expect(recorded >= count && count > 0, "\(index): \(recorded) of \(acknowledged)")
            }
            #expect(try workspace.names(in: "").count == 3)
        }

        /// Pictures of a recording, the last of which may have been cut by the kill.
        private func frames(in name: String) throws -> Int {
            let path = workspace.file(name)
            if name.hasPrefix("out"), !name.contains(".") {
                return try workspace.names(in: name).count { !$0.hasPrefix(".") }
            }
            let bytes = try workspace.read(name)
            let line = name.hasSuffix(".y4m") ? Array("FRAME\n".utf8) : [0xFF, 0xD8, 0xFF]
            #expect(!bytes.isEmpty, "\(path)")
            return bytes.indices.count { bytes[$0...].starts(with: line) }
        }

        @Test(arguments: [[], ["--overwrite"]]) func twoReceiversWithOneNameKeepApart(arguments: [String]) throws {
            let clip = Clip(frames: 8)
            let both = try (0..<2).map { _ in
                try receiver(["--once", "--record", workspace.file("out.y4m")] + arguments)
            }
            // The first frame of each is recorded before the second is sent, so both
            // files are open at the same time.
            let codec = JPEGCodec()
            let senders = try both.map { try TCPConnector(to: "127.0.0.1:\($0.port)", role: .sender) }
            let transports = try senders.map { try $0.nextTransport(until: .after(.seconds(60))) }
            for number in 1...8 as ClosedRange<UInt64> {
                for transport in transports {
                    let frame = try Frame(jpeg: try clip.jpeg(Int(number) - 1, codec))
                    try transport.send(.frame(frame, FrameInfo(sequence: number)), until: .after(.seconds(60)))
                    guard case .acknowledgement = try transport.receive(until: .after(.seconds(60))) else {
                        throw Surprise("no acknowledgement")
                    }
                }
            }
            for transport in transports { try transport.finish("all sent", until: .after(.seconds(60))) }
            for (receiver, _) in both { #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)") }
            for name in ["out.y4m", "out-2.y4m"] {
                let recording = try Recording(workspace.file(name))
                #expect(recording.pictures.count == 8 && clip.difference(to: recording) == nil, "\(name)")
            }
        }

        @Test func whatHoldsNoRecordingIsFree() throws {
            _ = try workspace.write([], to: "empty.mjpg")
            try FileManager.default.createSymbolicLink(
                atPath: workspace.file("null.mjpg"), withDestinationPath: "/dev/null")
            try directory("pictures", holding: "notes.txt")
            for name in ["empty.mjpg", "null.mjpg", "pictures/"] {
                try stream(pattern(2), ["--record", workspace.file(name)]).expectAllArrived(2)
            }
            #expect(try workspace.read("empty.mjpg").count > 100)
            #expect(try workspace.names(in: "pictures") == ["frame-000001.jpg", "frame-000002.jpg", "notes.txt"])
        }

        @Test(arguments: [[], ["--no-overwrite"]]) func laterStreamsTakeNamesThatAreFree(arguments: [String]) throws {
            _ = try workspace.write([7], to: "out-2.mjpg")
            _ = try workspace.write([8], to: "out-3.mjpg")
            let (receiver, port) = try receiver(arguments + ["--record", workspace.file("out.mjpg")])
            for _ in 0..<2 {
                let sender = try sender(to: port, pattern(2))
                #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            }
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try workspace.read("out-2.mjpg") == [7] && workspace.read("out-3.mjpg") == [8])
            #expect(try workspace.read("out.mjpg").count > 100 && workspace.read("out-4.mjpg").count > 100)
        }
    }
}
