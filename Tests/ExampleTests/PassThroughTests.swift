import Foundation
import Testing

extension ExampleTests {
    /// Pictures that are JPEG already are sent unchanged, whatever options for encoding were given.
    @Suite struct PassThrough {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        private static let words = "the pictures are JPEG already"

        private func recording() throws -> String {
            let path = workspace.file("in.mjpg")
            try stream(pattern(3), ["--record", path]).expectAllArrived(3)
            return path
        }

        @Test(arguments: [
            (["--quality", "30"], "--quality"), (["--subsampling", "4:4:4"], "--subsampling"),
            (["--encoders", "2"], "--encoders"),
            (["--quality", "20...30", "--allow-scale", "--allow-rate"], "--quality, --allow-scale, --allow-rate"),
        ])
        func optionsWithoutEffectAreSaidOnce(options: [String], names: String) throws {
            let input = try recording()
            let output = workspace.file("out.mjpg")
            let ended = try stream(
                ["--input", input, "--loop", "--frames", "6", "--pace", "max", "--policy", "reliable"] + options,
                ["--record", output])
            try ended.expectAllArrived(6)
            let complaints = ended.sender.complaints
            #expect(complaints.contains("warning frame-send: \(Self.words)"), "\(complaints)")
            #expect(complaints.contains("to do for \(names): "), "\(complaints)")
            #expect(complaints.components(separatedBy: Self.words).count == 2, "\(complaints)")
            let once = try workspace.read("in.mjpg")
            #expect(try workspace.read("out.mjpg") == once + once)
        }

        @Test func withoutOptionsThereIsNoWarning() throws {
            let ended = try stream(["--input", try recording(), "--pace", "max"])
            try ended.expectAllArrived(3)
            #expect(ended.sender.complaints == "")
        }

        @Test func encodedPicturesCauseNoWarning() throws {
            let ended = try stream(pattern(3) + ["--quality", "30", "--subsampling", "4:4:4"])
            try ended.expectAllArrived(3)
            #expect(ended.sender.complaints == "")
        }

        @Test func theLogsLevelHoldsForItToo() throws {
            let ended = try stream(
                ["--input", try recording(), "--pace", "max", "--quality", "30", "--log-level", "error"])
            try ended.expectAllArrived(3)
            #expect(ended.sender.complaints == "")
        }
    }
}
