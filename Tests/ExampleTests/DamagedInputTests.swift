import Foundation
import FrameStreamingCore
import FrameStreamingJPEG
import Testing

extension ExampleTests {
    /// Inputs as cameras and other programs write them.
    @Suite struct DamagedInputs {
        let workspace: Workspace
        let clip = Clip(frames: 6)
        let pictures: [[UInt8]]

        init() throws {
            workspace = try Workspace()
            let codec = JPEGCodec()
            let clip = clip
            pictures = try (0..<6).map { try clip.jpeg($0, codec) }
        }

        /// Sends bytes over standard input and by a file without an ending, and returns what was
        /// recorded unchanged.
        private func send(_ bytes: [UInt8], _ receive: [String] = []) throws -> [Ended] {
            let file = try workspace.write(bytes, to: "camera")
            return try [
                stream(["--input", file, "--pace", "max"], receive),
                stream(["--input", "-", "--pace", "max"], receive, input: .file(file)),
            ]
        }

        @Test func aCutPictureCostsItselfAndIsReported() throws {
            var pictures = pictures
            pictures[2].removeLast(pictures[2].count / 2)
            for ended in try send(pictures.flatMap(\.self)) {
                try ended.expectAllArrived(5)
                #expect(
                    ended.sender.complaints.contains("1 damaged picture was left out"), "\(ended.sender.complaints)")
                let event = try #require(try ended.sender.lines.first { $0.event == "damaged" })
                #expect(try event.int("count") == 1)
                #expect(event.string("reason")?.contains("picture 2: ") == true, "\(event.text)")
            }
        }

        @Test func picturesWithoutTheirEndAndWithTwoStartsAreWhole() throws {
            let parts: [[UInt8]] = [
                pictures.flatMap { Array($0.dropLast(2)) }, pictures.flatMap { [0xFF, 0xD8] + $0 },
                pictures.flatMap { Array("--b\r\nContent-Type: image/jpeg\r\n\r\n".utf8) + $0.dropLast(2) + [13, 10] },
            ]
            for (index, bytes) in parts.enumerated() {
                let output = workspace.file("out\(index).mjpg")
                let input = try workspace.write(bytes, to: "camera")
                try stream(["--input", input, "--pace", "max"], ["--record", output]).expectAllArrived(6)
                #expect(try workspace.read("out\(index).mjpg") == pictures.flatMap(\.self))
            }
        }

        @Test func warningsAreShownAndCounted() throws {
            // The end of the data is missing, in front of an EOI.
            let bytes = pictures.flatMap { (picture: [UInt8]) -> [UInt8] in picture.dropLast(40) + [0xFF, 0xD9] }
            for ended in try send(bytes) {
                try ended.expectAllArrived(6)
                #expect(try ended.receiver.total().int("decode_warnings") == 6)
                #expect(try ended.receiver.total().int("decode_failures") == 0)
            }
            for ended in try send(bytes, ["--strict"]) {
                #expect(try ended.receiver.total().int("decode_failures") == 6)
                #expect(try ended.receiver.total().int("decode_warnings") == 0)
                #expect(ended.receiver.complaints.contains("without strictness"), "\(ended.receiver.complaints)")
                #expect(ended.receiver.complaints.contains("leave --strict out"), "\(ended.receiver.complaints)")
            }
        }

        /// What is turned arrives without fault, so only the sender can count it.
        @Test func warningsOfTurnedPicturesAreCounted() throws {
            let bytes = pictures.flatMap { (picture: [UInt8]) -> [UInt8] in picture.dropLast(40) + [0xFF, 0xD9] }
            let file = try workspace.write(bytes, to: "camera")
            let ended = try stream(["--input", file, "--pace", "max", "--rotate", "90"], [])
            try ended.expectAllArrived(6)
            #expect(try ended.sender.total().int("decode_warnings") == 6)
            #expect(try ended.receiver.total().int("decode_warnings") == 0)
        }

        @Test func aRecordingOfJPEGsNeedsNoVerdict() throws {
            // SOF and SOS are there, and data that no decoder takes.
            let bytes = pictures.map { picture in
                var damaged = picture
                for index in damaged.indices.dropLast(1) where damaged[index] == 0xFF && damaged[index + 1] == 0xC4 {
                    damaged[index + 4] = 0x77
                }
                return damaged
            }
            let output = workspace.file("out.mjpg")
            let input = try workspace.write(bytes.flatMap(\.self), to: "camera")
            try stream(["--input", input, "--pace", "max"], ["--record", output]).expectAllArrived(6)
            #expect(try workspace.read("out.mjpg") == bytes.flatMap(\.self))
        }

        @Test func aHeaderAloneIsAnError() throws {
            let file = try workspace.write(Array("YUV4MPEG2 W16 H16 F25:1 Ip C420jpeg\n".utf8), to: "camera")
            for (input, name) in [(Program.Input.empty, file), (.file(file), "-")] {
                let outcome = try run("frame-send", ["--to", "127.0.0.1:1", "--input", name], input: input)
                #expect(outcome.end == .exit(1))
                #expect(outcome.complaints.contains("ends behind its header"), "\(outcome)")
            }
            // The header of a pipe arrives later.
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--input", "-"], input: .open)
            try sender.write(Array("YUV4MPEG2 W16 H16\n".utf8))
            try sender.closeInput()
            #expect(try sender.finish() == .exit(1))
            #expect(sender.complaints.contains("ends behind its header"), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(1))
        }

        @Test(arguments: ["F0:1 A1:1", "A0:1 F25", "XCOLORRANGE=UNKNOWN C420p8", "Ix F25:1\r"])
        func headersOfOtherProgramsAreRead(parameters: String) throws {
            let line = Array("YUV4MPEG2 W64 H48 \(parameters)\n".utf8)
            let bytes = line + clip.frames.flatMap { Array("FRAME\n".utf8) + $0 }
            for ended in try send(bytes) { try ended.expectAllArrived(6) }
        }

        @Test func untaggedGrayIsFullRange() throws {
            let ramp = (0..<64).flatMap { _ in (0...255).map { UInt8($0) } }
            let input = try workspace.write(ramp, to: "in.raw")
            for (index, format) in ["GRAY8", "gray"].enumerated() {
                let output = workspace.file("out\(index).y4m")
                try stream(
                    ["--input", input, "--size", "256x64", "--format", format, "--quality", "100"],
                    ["--record", output]
                ).expectAllArrived(1)
                let recording = try Recording(output)
                #expect(recording.format?.colorRange == .full)
                for x in 0...255 { #expect(abs(Int(recording.pictures[0][x]) - x) <= 2) }
            }
        }

        @Test(arguments: [("yuv420p", PixelFormat.i420), ("yuv444p", .i444)])
        func rawVideoIsNamedAsInFFmpeg(name: String, format: PixelFormat) throws {
            let clip = Clip(frames: 3, format: format)
            let input = try workspace.write(clip.raw, to: "in.raw")
            let output = workspace.file("out.y4m")
            try stream(
                ["--input", input, "--size", "64x48", "--format", name, "--pace", "max"], ["--record", output]
            ).expectAllArrived(3)
            #expect(clip.difference(to: try Recording(output)) == nil)
        }
    }
}
