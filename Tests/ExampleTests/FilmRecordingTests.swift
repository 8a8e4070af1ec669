import Foundation
import FrameStreamingCore
import FrameStreamingJPEG
import FrameStreamingTCP
import Glibc
import Testing

extension ExampleTests {
    /// `--record` with a Matroska or MP4 file.
    @Suite struct FilmRecording {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        /// How often the bytes occur in a file.
        private func count(_ bytes: [UInt8], in name: String) throws -> Int {
            let content = Data(try workspace.read(name))
            var (count, start) = (0, content.startIndex)
            while let found = content.range(of: Data(bytes), in: start..<content.endIndex) {
                count += 1
                start = found.upperBound
            }
            return count
        }

        /// A cluster of Matroska, and a fragment of MP4.
        private func frames(of name: String) throws -> Int {
            try count(name.hasSuffix(".mkv") ? [0x1F, 0x43, 0xB6, 0x75] : Array("moof".utf8), in: name)
        }

        @Test(arguments: ["out.mkv", "out.mp4"]) func picturesAreRecordedAsTheyCame(name: String) throws {
            let clip = Clip(frames: 12)
            let jpegs = try (0..<12).map { try clip.jpeg($0, JPEGCodec()) }
            let input = try workspace.write(jpegs.flatMap(\.self), to: "in.mjpg")
            let ended = try stream(
                ["--input", input, "--pace", "max", "--policy", "reliable", "--stream", "Front door"],
                ["--record", workspace.file(name)])
            try ended.expectAllArrived(12)
            #expect(try frames(of: name) == 12)
            for jpeg in jpegs { #expect(try count(jpeg, in: name) >= 1) }
            #expect(try count(Array("Front door".utf8), in: name) == 1)
            let event = try #require(try ended.receiver.lines(ended.receiver.output).first { $0.event == "recording" })
            #expect(try event.int("frames") == 12 && event.string("path") == workspace.file(name))
            // Its index is written.
            #expect(try count(name.hasSuffix(".mkv") ? [0x1C, 0x53, 0xBB, 0x6B] : Array("mfro".utf8), in: name) >= 1)
        }

        @Test func aStreamThatComesBackGoesOnInItsFilm() throws {
            let output = workspace.file("out.mkv")
            let receiver = try Program("frame-receive", ["--listen", "0", "--once", "--json", "--record", output])
            let address = "127.0.0.1:\(try receiver.port())"
            let sender = ReceiverReconnect.Breaking(try TCPConnector(to: address, role: .sender), Clip())
            #expect(try sender.connect() == 0)
            try sender.send(1...2)
            // What was acknowledged is in the file.
            #expect(try frames(of: "out.mkv") == 2)
            sender.breakOff()
            try receiver.line("the first connection's end") { $0.scope == "connection" }
            #expect(try sender.connect() == 2)
            try sender.send(3...5)
            #expect(try frames(of: "out.mkv") == 5)
            try sender.finish()
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try frames(of: "out.mkv") == 5 && workspace.names(in: "") == ["out.mkv"])
        }

        @Test func anotherSizeBeginsAnotherFilm() throws {
            let (small, large) = (Clip(frames: 3), Clip(32, 24, frames: 3))
            let pictures = try (0..<3).map { try small.jpeg($0, JPEGCodec()) }
            let more = try (0..<3).map { try large.jpeg($0, JPEGCodec()) }
            let input = try workspace.write((pictures + more).flatMap(\.self), to: "in.mjpg")
            let ended = try stream(
                ["--input", input, "--pace", "max", "--policy", "reliable"], ["--record", workspace.file("out.mp4")])
            try ended.expectAllArrived(6)
            #expect(try frames(of: "out.mp4") == 3 && frames(of: "out-2.mp4") == 3)
        }

        @Test func aFilmNeedsNoRate() throws {
            let outcome = try run(
                "frame-receive", ["--listen", "0", "--record", workspace.file("a.mkv"), "--record-rate", "25"])
            #expect(outcome.complaints.contains("own times"), "\(outcome.complaints)")
        }

        #if Media
            @Test(arguments: ["h264", "vp8", "vp9"]) func videoIsRecordedAsItCame(codec: String) throws {
                let clip = Clip(frames: 12)
                let input = try workspace.write(clip.y4m, to: "clip.y4m")
                let output = workspace.file("out.mkv")
                let ended = try stream(
                    ["--input", input, "--pace", "max", "--codec", codec], ["--record", output])
                try ended.expectAllArrived(12)
                #expect(try frames(of: "out.mkv") == 12)
                let name = ["h264": "V_MPEG4/ISO/AVC", "vp8": "V_VP8", "vp9": "V_VP9"][codec] ?? ""
                #expect(try count(Array(name.utf8), in: "out.mkv") == 1)
                // It was recorded without being decoded.
                #expect(try ended.receiver.total().int("decode_failures") == 0)
                // And is a source again, at its own pace.
                let again = try stream(["--input", output], ["--record", workspace.file("again.y4m")])
                try again.expectAllArrived(12)
            }
        #endif
    }
}
