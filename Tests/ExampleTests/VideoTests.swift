import FrameStreamingCore
import FrameStreamingFiles
import Glibc
import Testing

extension ExampleTests {
    /// `--codec`, in programs with FFmpeg and in those without.
    @Suite struct Video {
        let workspace: Workspace
        let clip = Clip(frames: 12)

        init() throws { workspace = try Workspace() }

        #if Media
            @Test(arguments: ["h264", "vp8", "vp9"]) func videoIsDecodedAndRecorded(_ codec: String) throws {
                let input = try workspace.write(clip.y4m, to: "clip.y4m")
                let output = workspace.file("out.y4m")
                let ended = try stream(
                    ["--input", input, "--pace", "max", "--codec", codec, "--quality", "95"], ["--record", output])
                try ended.expectAllArrived(12)
                #expect(try ended.receiver.total().int("decode_failures") == 0)
                let (source, recorded) = (try RawFileSource(path: input), try RawFileSource(path: output))
                for number in 0..<12 {
                    guard case .frame(let before)? = try source.next(until: .never),
                        case .frame(let after)? = try recorded.next(until: .never)
                    else {
                        Issue.record("picture \(number) is missing")
                        return
                    }
                    #expect(after.format.width == before.format.width && after.format.pixelFormat == .i420)
                    #expect(try difference(before, after) < 8, "\(number)")
                }
                #expect(try ended.sender.total().int("bytes") > 0)
            }

            /// A bit rate far below what the quality needs is kept, after the first pictures.
            @Test(arguments: ["h264", "vp8", "vp9"]) func aBitRateIsKept(_ codec: String) throws {
                let input = try workspace.write(noise(frames: 40), to: "noise.y4m")
                let ended = try stream(
                    ["--input", input, "--quality", "100", "--codec", codec, "--bitrate", "800k"])
                try ended.expectAllArrived(40)
                let total = try ended.sender.total()
                // 100,000 bytes a second, a first picture that may have more, and encoders that miss it. The
                // quality alone takes 14,000 bytes a picture, and 420,000 a second.
                let allowed = 150_000 * (try total.double("seconds") + 0.3)
                #expect(Double(try total.int("bytes")) < allowed)
            }

            /// 30 pictures a second of faint noise.
            private func noise(frames: Int) -> [UInt8] {
                var state: UInt32 = 1
                var bytes = Array("YUV4MPEG2 W160 H120 F30:1 C420\n".utf8)
                for _ in 0..<frames {
                    bytes += Array("FRAME\n".utf8)
                    for _ in 0..<160 * 120 * 3 / 2 {
                        state = state &* 1_664_525 &+ 1_013_904_223
                        bytes.append(UInt8(100 + state >> 27))
                    }
                }
                return bytes
            }

            @Test func theBitRateFollowsTheLink() throws {
                let ended = try stream(
                    ["--pattern", "--frames", "30", "--policy", "reliable", "--codec", "h264", "--bitrate", "auto"])
                try ended.expectAllArrived(30)
            }

            /// Whoever takes JPEG only is not sent anything else.
            @Test func aReceiverOfJPEGsRefusesVideo() throws {
                let input = try workspace.write(clip.y4m, to: "clip.y4m")
                let (receiver, port) = try receiver(["--record", workspace.file("out.mjpg")])
                let sender = try sender(to: port, ["--input", input, "--pace", "max", "--codec", "h264"])
                #expect(try sender.finish() == .exit(1))
                #expect(sender.complaints.contains("H264"), "\(sender.complaints)")
                receiver.signal(SIGTERM)
                _ = try receiver.finish()
            }

            private func difference(_ one: Frame, _ other: Frame) throws -> Double {
                let (a, b) = (one.plane(0), other.plane(0))
                var (sum, count) = (0, 0)
                for y in 0..<a.layout.height {
                    let (left, right) = (a.row(y), b.row(y))
                    for x in left.indices {
                        sum += abs(Int(left[x]) - Int(right[x]))
                        count += 1
                    }
                }
                return Double(sum) / Double(count)
            }
        #else
            @Test func aProgramWithoutFFmpegSaysWhichHasIt() throws {
                let outcome = try run("frame-send", ["--pattern", "--to", "localhost:1", "--codec", "h264"])
                #expect(outcome.end != .exit(0))
                #expect(outcome.complaints.contains("make full"), "\(outcome.complaints)")
            }
        #endif

        @Test func optionsThatDoNotFitAreRefused() throws {
            for (options, words) in [
                (["--codec", "h265"], "h264"), (["--encoder", "libx264"], "--codec"),
                (["--codec", "vp8", "--subsampling", "4:4:4"], "4:2:0"),
                (["--codec", "vp9", "--handshake", "text"], "JPEG only"),
                (["--bitrate", "2M"], "--quality 20...80"),
                (["--codec", "h264", "--bitrate", "2M", "--quality", "20...80"], "give one quality"),
                (["--codec", "h264", "--bitrate", "auto", "--to", "localhost:2"], "--bitrate 2M"),
            ] {
                let outcome = try run("frame-send", ["--pattern", "--to", "localhost:1"] + options)
                #expect(outcome.complaints.contains(words), "\(outcome.complaints)")
            }
        }
    }
}
