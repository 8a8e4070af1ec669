import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import Testing

extension ExampleTests {
    @Suite struct Demo {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        @Test func theLastPictureCanBeRead() throws {
            let outcome = try run("frame-demo", ["--seconds", "2", "--save-last", workspace.file("last.jpg")])
            #expect(outcome.end == .exit(0), "\(outcome)")
            #expect(outcome.output.contains("pictures of 640x480 arrived"))
            #expect(outcome.output.contains("delay from capture to consumed"))
            #expect(outcome.output.contains("the last picture is in \(workspace.file("last.jpg"))"))
            let jpeg = try Frame(jpeg: workspace.read("last.jpg"))
            let picture = try JPEGCodec().decode(jpeg, DecodeSettings(pixelFormat: .i420))
            let number = try #require(TestPattern.frameNumber(in: picture))
            #expect(number > 0)
        }

        @Test func aFileAndNoSeconds() throws {
            let clip = Clip()
            let input = try workspace.write(clip.y4m, to: "in.y4m")
            let outcome = try run("frame-demo", ["--input", input, "--save-last", workspace.file("last.jpg")])
            #expect(outcome.end == .exit(0), "\(outcome)")
            #expect(outcome.output.contains("6 of 6 pictures of 64x48 arrived"))
            let picture = try JPEGCodec().decode(
                try Frame(jpeg: workspace.read("last.jpg")), DecodeSettings(pixelFormat: .gray8))
            let luma = unsafe picture.withUnsafeBytes { unsafe Array($0) }
            #expect(clip.difference(to: [Clip.limited(luma)], from: 5) == nil)
        }

        @Test func aFileThatIsNotThere() throws {
            let outcome = try run("frame-demo", ["--input", workspace.file("none.y4m")])
            #expect(outcome.end == .exit(1) && outcome.complaints.contains("No such file"), "\(outcome)")
        }

        /// A file that ends in the middle of a picture.
        @Test(arguments: [false, true]) func aFailureInTheMiddleHasASummary(json: Bool) throws {
            let input = try workspace.write(Array(Clip().y4m.dropLast(100)), to: "in.y4m")
            let demo = try Program("frame-demo", ["--input", input] + (json ? ["--json"] : []))
            #expect(try demo.finish() == .exit(1), "\(demo.output)")
            #expect(demo.complaints.contains("in.y4m"), "\(demo.complaints)")
            if json {
                #expect(try demo.lines.last { $0.event == "error" }?.string("code") == "truncatedInput")
                #expect(try demo.total().string("role") == "receiver")
            } else {
                #expect(demo.output.contains("pictures of 64x48 arrived in"), "\(demo.output)")
            }
        }

        @Test(arguments: [[], ["--json"]], ["-", "/dev/stdout"])
        func theLastPictureOnStandardOutput(arguments: [String], path: String) throws {
            let input = try workspace.write(Clip().y4m, to: "in.y4m")
            let demo = try Program("frame-demo", ["--input", input, "--save-last", path] + arguments)
            #expect(try demo.finish() == .exit(0), "\(demo.complaints)")
            let picture = try Frame(jpeg: demo.outputBytes)
            #expect(picture.format.width == 64 && picture.format.height == 48)
            #expect(demo.complaints.contains(arguments.isEmpty ? "6 of 6 pictures" : "\"saved\""), "\(demo.complaints)")
            #expect(!workspace.exists("-"))
        }

        @Test func aPictureThatCannotBeSaved() throws {
            let outcome = try run(
                "frame-demo", ["--seconds", "1", "--save-last", workspace.file("none/last.jpg")])
            #expect(outcome.end == .exit(1) && outcome.complaints.contains("none/last.jpg"), "\(outcome)")
        }
    }
}
