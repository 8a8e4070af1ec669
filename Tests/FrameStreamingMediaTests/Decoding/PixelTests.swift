import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingMedia
import TestThreads
import Testing

/// What a film decodes to, against what it was made from.
@Suite(.ownThread(atOnce: 2)) struct PixelTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private static let ffv1 = ["-c:v", "ffv1", "-level", "3"]
    private static let sizes = [(1, 1), (17, 13), (64, 48), (1366, 768)]

    private static let kept: [(PixelFormat, String, String, [String])] = [
        (.i420, "yuv420p", "film.mkv", ffv1), (.i422, "yuv422p", "film.mkv", ffv1),
        (.i444, "yuv444p", "film.mkv", ffv1), (.gray8, "gray", "film.mkv", ffv1),
        (.bgra32, "bgra", "film.mkv", ffv1), (.nv12, "nv12", "film.nut", ["-c:v", "rawvideo"]),
        (.nv21, "nv21", "film.nut", ["-c:v", "rawvideo"]), (.uyvy, "uyvy422", "film.nut", ["-c:v", "rawvideo"]),
        (.yuyv, "yuyv422", "film.nut", ["-c:v", "rawvideo"]), (.rgb24, "rgb24", "film.mov", ["-c:v", "png"]),
        (.bgr24, "bgr24", "film.avi", ["-c:v", "rawvideo"]), (.rgba32, "rgba", "film.mov", ["-c:v", "png"]),
        (.i444, "yuv444p", "film.mp4", ["-c:v", "libx264", "-qp", "0"]),
        (.i420, "yuv420p", "film.webm", ["-c:v", "libvpx-vp9", "-lossless", "1"]),
        (.i422, "yuv422p", "film.avi", ["-c:v", "huffyuv"]),
    ]

    @Test(arguments: kept) func `every sample is what it was`(
        format: PixelFormat, name: String, file: String, coding: [String]
    ) throws {
        for (width, height) in Self.sizes {
            // What a container or a coder does not have: odd widths of packed chroma, and 1x1 in libvpx.
            if [.uyvy, .yuyv].contains(format), width % 2 == 1 { continue }
            if file.hasSuffix(".avi"), width < 16 || width % 2 == 1 { continue }
            if file.hasSuffix(".webm") || file.hasSuffix(".mp4"), width < 16 { continue }
            let clip = try Clip(width, height, format, name)
            // FFV1 loses a single pixel.
            let isTiny = width == 1 && coding == Self.ffv1
            let path = try clip.film(
                isTiny ? "film.nut" : file, isTiny ? ["-c:v", "rawvideo"] : coding, in: directory)
            let result = drain(try MediaSource(path: path, options: .fast()))
            #expect(result.error == nil && result.damaged == 0, "\(width)x\(height)")
            #expect(
                result.frames.map(\.format.pixelFormat) == [format, format, format], "\(width)x\(height)")
            #expect(result.frames.map { "\($0.format.width)x\($0.format.height)" }.first == "\(width)x\(height)")
            #expect(result.frames.map(\.packed) == clip.frames, "\(width)x\(height)")
        }
    }

    @Test func `H_264 with pictures between others is in order`() throws {
        let clip = try Clip(64, 48, .i420, "yuv420p", frames: 12)
        let path = try clip.film(
            "film.mp4", ["-c:v", "libx264", "-qp", "0", "-bf", "3", "-b_strategy", "0", "-g", "30"], in: directory)
        let result = drain(try MediaSource(path: path, options: .fast()))
        #expect(result.frames.map(\.packed) == clip.frames && result.frames.map(\.sequence) == Array(0..<12))
    }

    private static let converted: [(String, Int, PixelFormat)] = [
        ("yuv420p10le", 10, .i420), ("yuv422p10le", 10, .i422), ("yuv444p12le", 12, .i444), ("gray10le", 10, .gray8),
        ("gray16le", 16, .gray8),
    ]

    @Test(arguments: converted) func `more bits become eight`(name: String, bits: Int, format: PixelFormat) throws {
        for (width, height) in Self.sizes {
            let clip = try Clip(width, height, format, name)
            let path = try clip.deepened(to: bits).film("film.nut", ["-c:v", "rawvideo"], in: directory)
            let result = drain(try MediaSource(path: path, options: .fast()))
            #expect(result.error == nil && result.frames.count == 3, "\(width)x\(height)")
            for (frame, original) in zip(result.frames, clip.frames) {
                #expect(frame.format.pixelFormat == format)
                let largest = zip(frame.packed, original).map { abs(Int($0) - Int($1)) }.max() ?? 255
                #expect(largest <= 1, "\(width)x\(height)")
            }
        }
    }

    @Test func `planes of RGB become packed RGB`() throws {
        let clip = try Clip(17, 13, .rgb24, "rgb24")
        let path = try clip.film("film.mkv", ["-c:v", "utvideo", "-pix_fmt", "gbrp"], in: directory)
        let frames = drain(try MediaSource(path: path, options: .fast())).frames
        #expect(frames.map(\.format.pixelFormat) == [.rgb24, .rgb24, .rgb24] && frames.map(\.packed) == clip.frames)
    }

    @Test func `numbered pictures are a film`() throws {
        let clip = try Clip(17, 13, .rgb24, "rgb24")
        _ = try clip.film("frame-%03d.png", [], in: directory)
        let frames = drain(try MediaSource(path: directory.path("frame-%03d.png"), options: .fast())).frames
        #expect(frames.map(\.packed) == clip.frames)
        let single = drain(try MediaSource(path: directory.path("frame-002.png"), options: .fast())).frames
        #expect(single.map(\.packed) == [clip.frames[1]])
    }

    @Test func `frames outlive their source, and are not changed by those behind them`() throws {
        let clip = try Clip(64, 48, .i420, "yuv420p", frames: 40)
        let path = try clip.film("film.mp4", ["-c:v", "libx264", "-qp", "0", "-refs", "1"], in: directory)
        var source: MediaSource? = try MediaSource(path: path, options: .fast())
        let frames = try drain(#require(source)).frames
        source = nil
        #expect(frames.map(\.packed) == clip.frames)
    }

    @Test func `range and matrix are those of the film`() throws {
        let clip = try Clip(32, 16, .i420, "yuv420p", frames: 1)
        let tags: [(String, String, ColorRange, ColorMatrix)] = [
            ("tv", "bt709", .limited, .bt709), ("pc", "smpte170m", .full, .bt601),
            ("tv", "bt2020nc", .limited, .bt2020),
            ("unknown", "unknown", .limited, .unspecified),
        ]
        for (index, (range, matrix, expectedRange, expectedMatrix)) in tags.enumerated() {
            let path = try clip.film(
                "film\(index).mp4", ["-c:v", "libx264", "-qp", "0", "-color_range", range, "-colorspace", matrix],
                in: directory)
            // The same through the converter.
            let deep = try Clip(32, 16, .i420, "yuv420p10le", frames: 1).deepened(to: 10).film(
                "deep\(index).mkv", Self.ffv1 + ["-color_range", range, "-colorspace", matrix], in: directory)
            for film in [path, deep] {
                let frame = try #require(drain(try MediaSource(path: film, options: .fast())).frames.first)
                #expect(frame.format.colorRange == expectedRange && frame.format.colorMatrix == expectedMatrix)
                #expect(frame.sourceColorRange == expectedRange)
            }
            let same = try #require(drain(try MediaSource(path: path, options: .fast())).frames.first)
            #expect(same.packed == clip.frames[0], "\(range) \(matrix)")
        }
    }
}
