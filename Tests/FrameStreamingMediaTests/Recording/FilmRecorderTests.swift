import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingMedia

/// What `FilmRecorder` writes, as FFmpeg's programs and `MediaSource` read it.
@Suite(.ownThread(atOnce: 2)) struct FilmRecorderTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    enum Coding: CaseIterable {
        case jpeg, h264, vp8, vp9

        var codec: any FrameCodec {
            get throws {
                switch self {
                case .jpeg: JPEGCodec()
                case .h264: try VideoCodec(.h264)
                case .vp8: try VideoCodec(.vp8)
                case .vp9: try VideoCodec(.vp9)
                }
            }
        }

        /// FFmpeg's name.
        var name: String { self == .jpeg ? "mjpeg" : "\(self)" }
    }

    /// Irregular capture times, in nanoseconds since the first.
    private static let times: [Int64] = [
        0, 33_333_333, 50_000_499, 133_000_500, 133_900_000, 1_200_000_000, 1_233_333_333, 9_000_000_000,
    ]

    private func frames(
        _ coding: Coding, _ size: (width: Int, height: Int), from start: Int64, keys: Set<Int> = [0, 5]
    ) throws -> (frames: [Frame], decoded: [Frame]) {
        let codec = try coding.codec
        let encoder = try codec.makeEncodingSession()
        let decoder = try codec.makeDecodingSession()
        var frames: [Frame] = []
        var decoded: [Frame] = []
        for (number, time) in Self.times.enumerated() {
            let picture = try MovingPicture.i420(number, width: size.width, height: size.height)
            var frame = try encoder.encode(picture, EncodeSettings(), standsAlone: keys.contains(number))
            frame.captureTime = CaptureTime(nanoseconds: start + time)
            frames.append(frame)
            decoded.append(try decoder.decode(frame, DecodeSettings(pixelFormat: .i420)))
        }
        return (frames, decoded)
    }

    @Test(arguments: FilmContainer.allCases, Coding.allCases)
    func ffmpegReadsTheTimesAndThePictures(container: FilmContainer, coding: Coding) throws {
        for size in [(64, 48), (131, 77)] {
            let path = directory.path("\(size.0)\(container.ending)")
            let start = monotonicNow() - 250_000_000
            let (frames, decoded) = try frames(coding, size, from: start)
            let recorder = try FilmRecorder(path: path, stream: "Caméra 1")
            for frame in frames { try recorder.write(frame) }
            recorder.close()
            #expect(recorder.frameCount == 8 && recorder.leftOutCount == 0)

            let stamps = try FFmpeg.probe(path, "packet=pts_time", in: directory)
            let seconds = stamps.compactMap { Double($0.filter { $0 != "," }) }
            #expect(seconds.count == Self.times.count)
            for (stamp, time) in zip(seconds, Self.times) {
                #expect(abs(stamp - Double(time) / 1e9) <= 0.000_001, "\(stamps)")
            }
            let stream = try FFmpeg.probe(path, "stream=codec_name,width,height", in: directory)
            let even = coding == .h264 ? 1 : 0
            #expect(stream == ["\(coding.name),\(size.0 + size.0 % 2 * even),\(size.1 + size.1 % 2 * even)"])
            let duration = try #require(
                Double(try FFmpeg.probe(path, "format=duration", in: directory).first ?? ""))
            #expect(duration >= 9 && duration < 17)
            #expect(try FFmpeg.probe(path, "format_tags=title", in: directory) == ["Caméra 1"])
            #expect(try FFmpeg.probe(path, "format_tags=encoder", in: directory) == ["FrameStreaming"])
            let created = try FFmpeg.probe(path, "format_tags=creation_time", in: directory)
            let moment = try #require(created.first.flatMap { UTCTime($0) })
            let expected = start + realtimeOffset()
            let exact: Int64 = container == .mp4 ? 1_000_000_000 : 5_000_000
            #expect(expected - moment.nanoseconds < exact && moment.nanoseconds - expected < 5_000_000, "\(created)")

            // FFmpeg's own decoder finds as many pictures, in the same order.
            try FFmpeg.run(["-i", path, "-f", "framemd5", "-fps_mode", "passthrough", "sums"], in: directory)
            let sums = try String(contentsOfFile: directory.path("sums"), encoding: .utf8)
                .split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }
            #expect(sums.count == frames.count)

            // And ours the same samples.
            let again = drain(try MediaSource(path: path, options: .fast()))
            #expect(again.error == nil && again.damaged == 0 && again.frames.count == frames.count)
            for (index, frame) in again.frames.enumerated() {
                // The old capture time travels with the frame.
                let words = String(decoding: frame.metadata, as: UTF8.self).split(separator: "=")
                let captured = try #require(words.last.flatMap { UTCTime(String($0)) })
                let expected = start + Self.times[index] + realtimeOffset()
                #expect(words.first == "captured" && abs(captured.nanoseconds - expected) < 5_000_000, "\(words)")
                if coding == .jpeg {
                    #expect(frame.packed == frames[index].packed)
                } else if size == (64, 48) {
                    #expect(frame.packed == decoded[index].packed, "frame \(index)")
                }
            }
        }
    }

    /// A kill cuts a write at a page, because the kernel writes page by page.
    @Test(arguments: FilmContainer.allCases, [Coding.jpeg, .h264])
    func aFilmThatWasKilledKeepsEveryWholeFrame(container: FilmContainer, coding: Coding) throws {
        let path = directory.path("whole\(container.ending)")
        // Of a size that puts the heads of some fragments across pages, if nothing prevents it.
        let (frames, _) = try frames(coding, (200, 160), from: 5)
        let recorder = try FilmRecorder(path: path)
        var lengths: [Int] = []
        for number in 0..<240 {
            var frame = frames[number % 5]
            frame.captureTime = CaptureTime(nanoseconds: Int64(number) * 33_333_333)
            try recorder.write(frame)
            lengths.append(try Data(contentsOf: URL(fileURLWithPath: path)).count)
        }
        // As after a kill: without what `close` adds.
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        recorder.close()
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count > bytes.count)
        // Most of all where a frame ends just before a page does.
        let pages = stride(from: 4_096, to: bytes.count, by: 4_096).filter { page in
            lengths.contains { $0 <= page && page - $0 < 120 } || page / 4_096 % 40 == 9
        }
        #expect(pages.count > 3)
        for cut in pages.filter({ $0 >= lengths[0] }).suffix(12) + lengths.suffix(3) {
            let film = try directory.file("cut\(container.ending)", Array(bytes[..<cut]))
            let whole = lengths.firstIndex { $0 > cut } ?? lengths.count
            let packets = try FFmpeg.probe(film, "packet=pts_time", in: directory)
            // FFmpeg also passes on the part of a frame that is there.
            #expect((whole...whole + 1).contains(packets.count), "\(packets.count) of \(whole), cut at \(cut)")
        }
    }

    @Test(arguments: FilmContainer.allCases, [true, false])
    func filmsCanBeSeekedIn(container: FilmContainer, isClosed: Bool) throws {
        let path = directory.path("long\(container.ending)")
        let recorder = try FilmRecorder(path: path)
        let codec = try VideoCodec(.h264)
        let encoder = try codec.makeEncodingSession()
        for number in 0..<300 {
            let picture = try MovingPicture.i420(number, width: 64, height: 48)
            var frame = try encoder.encode(picture, EncodeSettings(), standsAlone: number % 30 == 0)
            frame.captureTime = CaptureTime(nanoseconds: 1_000 + Int64(number) * 100_000_000)
            try recorder.write(frame)
        }
        var film = path
        if isClosed {
            recorder.close()
        } else {
            film = directory.path("killed\(container.ending)")
            try FileManager.default.copyItem(atPath: path, toPath: film)
        }
        for second in [0, 7, 15, 29] {
            let read = drain(try MediaSource(path: film, options: .fast(start: .seconds(second))))
            #expect(read.error == nil && read.damaged == 0 && read.frames.count == 300 - second * 10, "\(second)")
        }
        // FFmpeg's program enters at the key frame before.
        let packets = try FFmpeg.probe(film, "packet=pts_time", in: directory, from: 15)
        #expect(packets.first?.hasPrefix("15.0") == true, "\(packets.prefix(3))")
    }
}
