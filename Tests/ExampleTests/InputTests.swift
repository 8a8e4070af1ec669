import Foundation
import FrameStreamingJPEG
import FrameStreamingSystem
import Testing

extension ExampleTests {
    @Suite struct Inputs {
        let workspace: Workspace
        let clip = Clip()

        init() throws { workspace = try Workspace() }

        @Test func standardInputThatComesSlowly() throws {
            let output = workspace.file("out.y4m")
            let (receiver, port) = try receiver(["--once", "--record", output])
            let sender = try sender(to: port, ["--input", "-"], input: .open)
            // Each piece is sent after the one before was processed: the cuts
            // fall everywhere, the waits are real.
            let bytes = clip.y4m
            for (piece, start) in stride(from: 0, to: bytes.count, by: 1777).enumerated() {
                try sender.write(Array(bytes[start..<min(start + 1777, bytes.count)]))
                if piece == 8 {
                    try receiver.line("the first frames") { try $0.event == "progress" && $0.int("frames") > 0 }
                }
            }
            try sender.closeInput()
            let ended = Ended(
                sender: sender, receiver: receiver, senderEnd: try sender.finish(), receiverEnd: try receiver.finish())
            try ended.expectAllArrived(clip.frames.count)
            #expect(clip.difference(to: try Recording(output).pictures) == nil)
        }

        @Test func standardInputFromAFile() throws {
            let input = try workspace.write(clip.raw, to: "in.yuv")
            let output = workspace.file("out.y4m")
            try stream(
                ["--input", "-", "--size", "64x48", "--format", "YU12", "--pace", "max"], ["--record", output],
                input: .file(input)
            ).expectAllArrived(6)
            #expect(clip.difference(to: try Recording(output).pictures) == nil)
        }

        @Test func standardInputThatIsEmpty() throws {
            let ended = try stream(["--input", "-"])
            #expect(ended.senderEnd == .exit(1))
            #expect(ended.sender.complaints.contains("empty"), "\(ended.sender.complaints)")
            // The sender's goodbye reported the failure.
            #expect(ended.receiverEnd == .exit(1))
            #expect(try ended.receiver.total().int("frames") == 0)
        }

        @Test func standardInputThatIsCut() throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--input", "-", "--pace", "max"], input: .open)
            try sender.write(Array(clip.y4m.dropLast(8)))
            try sender.closeInput()
            #expect(try sender.finish() == .exit(1))
            #expect(sender.complaints.contains("8 of 4608 bytes are missing"), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(1))
            #expect(try receiver.total().int("frames") == 5)
        }

        @Test func aFIFO() throws {
            let fifo = workspace.file("fifo.y4m")
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            let output = workspace.file("out.y4m")
            let (receiver, port) = try receiver(["--once", "--record", output])
            let sender = try sender(to: port, ["--input", fifo, "--pace", "max"])
            let bytes = clip.y4m
            let isWritten = Monitor<Bool?>(nil)
            _ = try SystemThread(name: "fifo") {
                let done = (try? Data(bytes).write(to: URL(fileURLWithPath: fifo))) != nil
                isWritten.update { $0 = done }
            }
            let ended = Ended(
                sender: sender, receiver: receiver, senderEnd: try sender.finish(), receiverEnd: try receiver.finish())
            try ended.expectAllArrived(6)
            #expect(isWritten.wait(until: monotonicNow() + 60_000_000_000) { $0 } == true)
            #expect(clip.difference(to: try Recording(output).pictures) == nil)
        }

        @Test func loopStartsAgain() throws {
            let input = try workspace.write(clip.y4m, to: "in.y4m")
            let output = workspace.file("out.y4m")
            try stream(
                ["--input", input, "--loop", "--frames", "15", "--pace", "max"], ["--record", output]
            ).expectAllArrived(15)
            let pictures = try Recording(output).pictures
            #expect(pictures.count == 15 && clip.difference(to: pictures) == nil)
        }

        @Test func aPipeCannotBeLooped() throws {
            let outcome = try run("frame-send", ["--to", "127.0.0.1:1", "--input", "-", "--loop"])
            #expect(outcome.end == .exit(1))
            #expect(outcome.complaints.contains("loop"), "\(outcome)")
        }

        @Test func framesAreTakenFromTheSource() throws {
            let input = try workspace.write(clip.y4m, to: "in.y4m")
            try stream(["--input", input, "--frames", "2", "--pace", "max"]).expectAllArrived(2)
            // `--frames` may exceed the number of frames in the file.
            try stream(["--input", input, "--frames", "100", "--pace", "max"]).expectAllArrived(6)
            // So it may where the number is not known before the end.
            let codec = JPEGCodec()
            let pictures = try workspace.write(try (0..<6).flatMap { try clip.jpeg($0, codec) }, to: "in.mjpg")
            try stream(["--input", pictures, "--frames", "100", "--pace", "max"]).expectAllArrived(6)
            try stream(["--input", "-", "--frames", "100"], input: .file(input)).expectAllArrived(6)
        }

        @Test func theFilesRateIsKept() throws {
            // 6 frames at 5 a second: the last is due one second after the first, and the program
            // starts before that. A slow machine only makes it later.
            let input = try workspace.write(clip.y4m, to: "in.y4m")
            let start = monotonicNow()
            try stream(["--input", input, "--rate", "5"]).expectAllArrived(6)
            #expect(monotonicNow() - start >= 1_000_000_000)
        }

        @Test(arguments: ["YUYV", "NV12", "BGR24", "RGBA32"]) func patternsInEveryKindOfLayout(format: String) throws {
            try stream(pattern(2) + ["--format", format]).expectAllArrived(2)
        }
    }
}
