import Foundation
import Testing

extension ExampleTests {
    /// Recordings that are there already.
    @Suite struct Overwriting {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        private func directory(_ name: String, holding file: String) throws {
            try FileManager.default.createDirectory(
                atPath: workspace.file(name), withIntermediateDirectories: false)
            _ = try workspace.write([7], to: "\(name)/\(file)")
        }

        @Test(arguments: ["old.y4m", "old.mjpg", "link.mjpg", "pictures", "pictures/"])
        func whatIsThereIsKept(name: String) throws {
            for file in ["old.y4m", "old.mjpg"] { _ = try workspace.write([7], to: file) }
            try FileManager.default.createSymbolicLink(
                atPath: workspace.file("link.mjpg"), withDestinationPath: workspace.file("old.mjpg"))
            try directory("pictures", holding: "frame-000012.jpg")
            let path = workspace.file(name)
            let outcome = try run("frame-receive", ["--listen", "0", "--json", "--no-overwrite", "--record", path])
            #expect(outcome.end == .exit(1) && outcome.output == "", "\(outcome)")
            #expect(outcome.complaints.contains(path) && outcome.complaints.contains("--no-overwrite"), "\(outcome)")
            for file in ["old.y4m", "old.mjpg", "pictures/frame-000012.jpg"] {
                #expect(try workspace.read(file) == [7])
            }
        }

        @Test(arguments: ["old.y4m", "old.mjpg", "pictures/"]) func whatIsThereIsRecordedOverAndThatIsSaid(name: String)
            throws
        {
            for file in ["old.y4m", "old.mjpg"] { _ = try workspace.write([7], to: file) }
            try directory("pictures", holding: "frame-000001.jpg")
            let path = workspace.file(name)
            let ended = try stream(pattern(2), ["--record", path])
            try ended.expectAllArrived(2)
            #expect(ended.receiver.complaints.contains(path), "\(ended.receiver.complaints)")
            #expect(ended.receiver.complaints.contains("--no-overwrite"))
            let first = name == "pictures/" ? "pictures/frame-000001.jpg" : name
            #expect(try workspace.read(first).count > 100)
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

        @Test func laterStreamsTakeNamesThatAreFree() throws {
            _ = try workspace.write([7], to: "out-2.mjpg")
            _ = try workspace.write([8], to: "out-3.mjpg")
            let (receiver, port) = try receiver(["--no-overwrite", "--record", workspace.file("out.mjpg")])
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
