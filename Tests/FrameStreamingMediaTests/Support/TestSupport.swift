import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingTesting
import Testing

@testable import FrameStreamingMedia

/// A directory that is removed with its last reference.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("fs-media-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func path(_ name: String) -> String { path + "/" + name }

    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }
}

/// Frames of one shape whose samples all differ from their neighbours'.
struct Clip {
    let format: FrameFormat
    let frames: [[UInt8]]
    /// FFmpeg's name of the pixel format.
    let name: String

    init(_ width: Int, _ height: Int, _ pixelFormat: PixelFormat, _ name: String, frames: Int = 3) throws {
        format = try FrameFormat(width: width, height: height, pixelFormat: pixelFormat)
        self.name = name
        let count = format.byteCount
        // Within limited range, so that nothing is clipped on the way.
        var generator = Seeded(state: 1)
        let noise = (0..<9973).map { _ -> UInt8 in UInt8(16 + generator.next() % 220) }
        self.frames = (0..<frames).map { number -> [UInt8] in
            var bytes = Array(noise[(number * 97)...])
            while bytes.count < count { bytes += noise }
            return Array(bytes.prefix(count))
        }
    }

    /// The same samples with more bits, in two bytes each, the lower one first.
    func deepened(to bits: Int) -> Clip {
        Clip(
            format: format,
            frames: frames.map { frame in
                frame.flatMap { sample -> [UInt8] in
                    let deep = UInt16(sample) << UInt16(bits - 8)
                    return [UInt8(truncatingIfNeeded: deep), UInt8(deep >> 8)]
                }
            }, name: name)
    }

    private init(format: FrameFormat, frames: [[UInt8]], name: String) {
        (self.format, self.frames, self.name) = (format, frames, name)
    }

    /// Writes a film of the frames, 25 a second.
    ///
    /// - Parameter coding: ffmpeg's options for the film.
    func film(_ file: String, _ coding: [String], in directory: TemporaryDirectory) throws -> String {
        let raw = try directory.file("\(file).raw", frames.flatMap { $0 })
        try FFmpeg.run(
            ["-f", "rawvideo", "-pix_fmt", name, "-s", "\(format.width)x\(format.height)", "-r", "25", "-i", raw]
                + coding
                + [directory.path(file)], in: directory)
        return directory.path(file)
    }
}

extension Frame {
    /// The planes one behind the other, without padding.
    var packed: [UInt8] {
        var bytes: [UInt8] = []
        guard format.planeCount > 0 else {
            unsafe samples.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
            return bytes
        }
        for index in 0..<format.planeCount {
            for y in 0..<plane(index).layout.height {
                unsafe plane(index).row(y).withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
            }
        }
        return bytes
    }
}

extension MediaOptions {
    /// As fast as the pictures are taken.
    static func fast(loop: Bool = false, rate: FrameRate? = nil, start: Duration = .zero) -> MediaOptions {
        MediaOptions(playback: PlaybackOptions(rate: rate, loop: loop, pace: .maximum), start: start)
    }
}

/// Reads everything up to the end or the first error.
func drain(
    _ source: MediaSource, limit: Int = 1000
) -> (frames: [Frame], damaged: Int, error: FrameStreamingError?) {
    var frames: [Frame] = []
    var damaged = 0
    do throws(FrameStreamingError) {
        while frames.count < limit, let event = try source.next(until: .after(.seconds(60))) {
            switch event {
            case .frame(let frame): frames.append(frame)
            case .damaged(let count, _): damaged += count
            default: break
            }
        }
        return (frames, damaged, nil)
    } catch {
        return (frames, damaged, error)
    }
}

func makeFrame(_ bytes: [UInt8], _ format: FrameFormat) throws -> Frame {
    var buffer = FramePool(capacity: 1).buffer(byteCount: bytes.count)
    unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
    return try buffer.makeFrame(format: format)
}

/// Returns the error of `body`, which must fail.
func failure(_ body: () throws -> Void) throws -> FrameStreamingError {
    do {
        try body()
    } catch let error as FrameStreamingError {
        return error
    }
    throw CancellationError()
}
