import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
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
                let fourcc = ["h264": "H264", "vp8": "VP80", "vp9": "VP90"][codec]
                for program in [ended.sender, ended.receiver] {
                    #expect(try program.total().string("format") == fourcc)
                    let schema = try JSONSchema()
                    for line in try program.lines { #expect(try schema.faults(of: line.text).isEmpty, "\(line.text)") }
                }
                #expect(try ended.sender.total().isNull("target_bits_per_second"))
            }

            /// A bit rate far below what the quality needs is kept, after the first pictures.
            @Test(arguments: ["h264", "vp8", "vp9"]) func aBitRateIsKept(_ codec: String) throws {
                let input = try workspace.write(noise(frames: 40), to: "noise.y4m")
                let ended = try stream(
                    ["--input", input, "--quality", "100", "--codec", codec, "--bitrate", "800k"])
                try ended.expectAllArrived(40)
                let total = try ended.sender.total()
                #expect(try total.int("target_bits_per_second") == 800_000)
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

            /// Who takes JPEG only gets that, and others get video at the same time.
            @Test func receiversOfJPEGsGetThem() throws {
                let input = try workspace.write(clip.y4m, to: "clip.y4m")
                let (jpegs, video) = (workspace.file("out.mjpg"), workspace.file("out.y4m"))
                let receivers = try [jpegs, video].map { try receiver(["--once", "--record", $0]) }
                let sender = try sender(
                    to: receivers[0].1,
                    [
                        "--to", "127.0.0.1:\(receivers[1].1)", "--input", input, "--pace", "max", "--codec", "h264",
                        "--quality", "95",
                    ])
                #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
                for (receiver, _) in receivers { #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)") }
                let codec = JPEGCodec()
                let sources = [try FileSource(path: input), try FileSource(path: jpegs), try FileSource(path: video)]
                for number in 0..<12 {
                    let pictures = try sources.indices.map { index -> Frame in
                        guard case .frame(let frame)? = try sources[index].next(until: .never) else {
                            throw FrameStreamingError(.notFound, "picture \(number) of file \(index)")
                        }
                        return try frame.format.pixelFormat == .jpeg
                            ? codec.decode(frame, DecodeSettings(pixelFormat: .i420)) : frame
                    }
                    #expect(try difference(pictures[0], pictures[1]) < 6, "\(number)")
                    #expect(try difference(pictures[0], pictures[2]) < 8, "\(number)")
                }
            }

            /// Python's receiver names JPEG in its handshake.
            @Test func pythonGetsJPEGs() throws {
                let folder = workspace.file("jpegs")
                let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                    .appendingPathComponent("../../Examples/python/receive.py").path
                let input = try workspace.write(clip.y4m, to: "clip.y4m")
                let sender = try Program(
                    "frame-send", ["--listen", "0", "--json", "--no-reconnect", "--input", input, "--codec", "vp8"])
                let port = try sender.port()
                let python = try Program(
                    "frame-receive", ["--from", "127.0.0.1:\(port)", "--once", "--save", folder],
                    script: "exec python3 '\(script)' \"$@\"")
                #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
                #expect(try python.finish() == .exit(0), "\(python.complaints)")
                let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
                #expect(names.count == 12, "\(names)")
                let bytes = try names.flatMap { [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $0))) }
                let received = try FileSource(path: try workspace.write(bytes, to: "received.mjpg"))
                let source = try FileSource(path: input)
                for number in 0..<12 {
                    guard case .frame(let before)? = try source.next(until: .never),
                        case .frame(let jpeg)? = try received.next(until: .never)
                    else {
                        Issue.record("picture \(number) is missing")
                        return
                    }
                    let after = try JPEGCodec().decode(jpeg, DecodeSettings(pixelFormat: .i420))
                    #expect(try difference(before, after) < 8, "\(number)")
                }
            }

            /// The mean difference of the luma, which JPEGs have in full range.
            private func difference(_ one: Frame, _ other: Frame) throws -> Double {
                func limited(_ value: UInt8, of frame: Frame) -> Int {
                    frame.format.colorRange == .full ? 16 + Int(value) * 219 / 255 : Int(value)
                }
                let (a, b) = (one.plane(0), other.plane(0))
                var (sum, count) = (0, 0)
                for y in 0..<a.layout.height {
                    let (left, right) = (a.row(y), b.row(y))
                    for x in left.indices {
                        sum += abs(limited(left[x], of: one) - limited(right[x], of: other))
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
