import Foundation
import FrameStreamingJPEG
import TestThreads
import Testing

extension ExampleTests {
    /// Pipes at their own pace, live and not. SIGSTOP holds a receiver up.
    @Suite struct LiveInputs {
        let workspace: Workspace
        let clip = Clip(frames: 6)

        init() throws { workspace = try Workspace() }

        /// A picture as a camera's HTTP server writes it. A comment makes it larger than what
        /// sockets and pipes take.
        private func part(_ picture: [UInt8]) -> [UInt8] {
            let padded =
                picture.prefix(2) + [0xFF, 0xFE, 0xF0, 0x00] + [UInt8](repeating: 32, count: 0xF000 - 2)
                + picture.dropFirst(2)
            return Array("--b\r\nContent-Type: image/jpeg\r\nContent-Length: \(padded.count)\r\n\r\n".utf8) + padded
                + [13, 10]
        }

        @Test func aCameraIsReadWhateverTheReceiverDoes() throws {
            let codec = JPEGCodec()
            let parts = try (0..<6).map { part(try clip.jpeg($0, codec)) }
            let output = workspace.file("out.mjpg")
            let (receiver, port) = try receiver(["--once", "--record", output])
            let sender = try sender(to: port, ["--input", "-", "--format", "JPEG"], input: .open)
            try sender.write(parts[0])
            try receiver.streams("frames")
            receiver.signal(SIGSTOP)
            // The last of these is the clip's last picture.
            let writing = try Background("the camera") { for index in 0..<300 { try sender.write(parts[index % 6]) } }
            try writing.value()
            receiver.signal(SIGCONT)
            try sender.closeInput()
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            let input = try #require(try sender.lines.first { $0.event == "input" })
            let total = try sender.total()
            #expect(try input.int("frames") == 301 && input.int("damaged") == 0)
            #expect(try total.int("produced") + input.int("dropped") == 301)
            #expect(try total.accounted() == total.int("produced"))
            #expect(try receiver.total().int("frames") < 200)
            let recorded = try workspace.read("out.mjpg")
            let last = parts[5].dropLast(2).suffix(20_000)
            #expect(recorded.suffix(20_000) == last)
            #expect(!sender.complaints.contains("--live"), "\(sender.complaints)")
        }

        @Test func anotherPipeLosesNothingAndItsProducerIsSaidToWait() throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--input", "-"], input: .open)
            let frames = clip.y4mFrames
            try sender.write(clip.y4m)
            try receiver.streams("frames")
            receiver.signal(SIGSTOP)
            let writing = try Background("the producer") {
                for _ in 0..<50 { try sender.write(frames) }
                try sender.closeInput()
            }
            try sender.findComplaint("give --live")
            #expect(!writing.isDone)
            let event = try sender.line("the hold-up") { $0.event == "held up" }
            #expect(try event.double("seconds") >= 1)
            receiver.signal(SIGCONT)
            try writing.value()
            let ended = Ended(
                sender: sender, receiver: receiver, senderEnd: try sender.finish(), receiverEnd: try receiver.finish())
            try ended.expectAllArrived(306)
            #expect(sender.complaints.components(separatedBy: "give --live").count == 2)
        }

        @Test func withLiveItIsReadWhateverTheReceiverDoes() throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--input", "-", "--live"], input: .open)
            let frames = clip.y4mFrames
            try sender.write(clip.y4m)
            try receiver.streams("frames")
            receiver.signal(SIGSTOP)
            try Background("the producer") { for _ in 0..<200 { try sender.write(frames) } }.value()
            receiver.signal(SIGCONT)
            try sender.closeInput()
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            let input = try #require(try sender.lines.first { $0.event == "input" })
            #expect(try input.int("frames") == 1_206)
            let unsent = try input.int("dropped") + input.int("unwanted")
            #expect(try sender.total().int("produced") + unsent == 1_206)
            #expect(try receiver.total().int("frames") < 1_206)
        }

        /// The thread that reads the pipe must not take the signal, which would end the program.
        @Test(arguments: [SIGINT, SIGTERM]) func ctrlCEndsItWithASummary(_ signal: CInt) throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--input", "-", "--live"], input: .open)
            try sender.write(clip.y4m)
            try receiver.streams("frames")
            sender.signal(signal)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try sender.total().int("produced") > 0)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
        }

        @Test func thePolicyOverridesTheNatureOfTheInput() throws {
            let codec = JPEGCodec()
            let bytes = try (0..<24).flatMap { part(try clip.jpeg($0 % 6, codec)) }
            for options in [["--policy", "reliable"], ["--pace", "max"]] {
                let (receiver, port) = try receiver(["--once"])
                let sender = try sender(to: port, ["--input", "-"] + options, input: .open)
                try Background("the camera") {
                    try sender.write(bytes)
                    try sender.closeInput()
                }.value()
                try Ended(
                    sender: sender, receiver: receiver, senderEnd: try sender.finish(),
                    receiverEnd: try receiver.finish()
                ).expectAllArrived(24)
            }
        }

        /// One picture in 1000 s, says the header.
        @Test func aPipeIsNotPacedByItsHeader() throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--input", "-"], input: .open)
            try sender.write(slowClip)
            try sender.closeInput()
            try Ended(
                sender: sender, receiver: receiver, senderEnd: try sender.finish(), receiverEnd: try receiver.finish()
            ).expectAllArrived(6)
        }

        private var slowClip: [UInt8] { Array("YUV4MPEG2 W64 H48 F1:1000 C420jpeg\n".utf8) + clip.y4mFrames }

        @Test func anInputThatIsSlowerThanItsRateIsReported() throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--input", "-"], input: .open)
            let bytes = clip.y4m
            try sender.write(Array(bytes.prefix(bytes.count - 4614)))
            try receiver.streams("frames")
            // Two lines are a second apart.
            let count = { (text: String) in try sender.lines(text).count { $0.event == "progress" } }
            let before = try count(sender.output)
            try sender.find("two more lines") { try count($0) >= before + 3 ? () : nil }
            try sender.write(Array(bytes.suffix(4614)))
            try sender.closeInput()
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(sender.complaints.contains("less than its rate of 25"), "\(sender.complaints)")
            let input = try #require(try sender.lines.first { $0.event == "input" })
            #expect(try input.double("fps") < 5 && input.double("stated_fps") == 25)
            #expect(try receiver.finish() == .exit(0))
        }

        @Test(arguments: [
            (["--pattern", "--live"], "--live is for --input"),
            (["--input", "-", "--live", "--policy", "reliable"], "give one of them"),
        ])
        func liveIsForInputsThatMayDrop(arguments: [String], words: String) throws {
            let outcome = try run("frame-send", ["--to", "127.0.0.1:1"] + arguments)
            #expect(outcome.end == .exit(64) && outcome.complaints.contains(words), "\(outcome)")
        }
    }
}
