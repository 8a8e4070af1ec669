import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingSystem
import Glibc
import Testing

/// A directory that is removed with its last reference.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("fs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String, _ bytes: [UInt8] = []) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    func path(_ name: String) -> String { path + "/" + name }
}

/// Returns a file's content. `Data(contentsOf:)` leaks 4096 bytes for an empty file on Linux, which
/// the address sanitizer reports.
func contents(_ path: String) throws -> [UInt8] {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    return Array(try file.readToEnd() ?? Data())
}

/// Returns the files that this process has open below a directory.
func openFiles(below path: String) throws -> [String] {
    // The listing's own descriptor is closed by the time it is resolved.
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)
    }.filter { $0.hasPrefix(path) }
}

/// A clock that only sleeping moves.
final class ScriptClock: FrameClock {
    private let time = Monitor<Int64>(1_000_000_000)

    var now: MonotonicTime { MonotonicTime(nanoseconds: time.withLock { $0 }) }
    func sleep(until target: MonotonicTime) { time.update { $0 = max($0, target.nanoseconds) } }
    func advance(by duration: Duration) { sleep(until: now.advanced(by: duration)) }
}

/// Both ends of a pipe.
final class Pipe {
    let output: Descriptor
    private(set) var input: Descriptor?

    init() throws {
        var ends: [CInt] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        output = Descriptor(ends[0])
        input = Descriptor(ends[1])
    }

    func write(_ bytes: [UInt8]) throws { try input?.writeAll(unsafe bytes.span.bytes) }
    func close() { input = nil }
}

extension Frame {
    var array: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}

func makeFrame(
    _ bytes: [UInt8], _ format: FrameFormat, source: ColorRange? = nil
) throws -> Frame {
    var buffer = FramePool(capacity: 1).buffer(byteCount: bytes.count)
    unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
    var frame = try buffer.makeFrame(format: format)
    if let source { frame.sourceColorRange = source }
    return frame
}

/// Bytes that differ by position.
func noise(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &+ seed &* 7919) &* 2_654_435_761 >> 13) }
}

extension PlaybackOptions {
    static let fast = PlaybackOptions(pace: .maximum)
}

/// Reads everything up to the end or the first error.
func drain(
    _ source: inout some FrameSource, deadline: Deadline = .after(.seconds(20)), limit: Int = 1000
) -> (frames: [Frame], error: FrameStreamingError?) {
    var frames: [Frame] = []
    do throws(FrameStreamingError) {
        while frames.count < limit, let event = try source.next(until: deadline) {
            if case .frame(let frame) = event { frames.append(frame) }
        }
        return (frames, nil)
    } catch {
        return (frames, error)
    }
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

/// A small JPEG as a decoder accepts it, for a width of 17 to 24: six gray blocks and a restart. It
/// has a thumbnail's end marker inside a segment, and stuffed bytes in its data.
func fakeJPEG(width: Int = 17, height: Int = 13, tag: UInt8) -> [UInt8] {
    var bytes: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE1, 0, 8, 0xFF, 0xD8, 0xFF, 0xD9, tag, 0]
    bytes += [0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 16, count: 64)
    bytes += [0xFF, 0xC0, 0, 11, 8, UInt8(height >> 8), UInt8(height & 255)]
    bytes += [UInt8(width >> 8), UInt8(width & 255), 1, 1, 0x11, 0]
    bytes += [0xFF, 0xDD, 0, 4, 0, 3]
    bytes += [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0]
    // With the standard tables: a difference of 11 bits and an end of block, twice an empty block,
    // a restart, and three empty blocks.
    bytes += [0xFF, 0x00, tag & 0x7F, 0x1A, 0x28, 0xAF, 0xFF, 0xD0, 0x28, 0xA2, 0xBF]
    return bytes + [0xFF, 0xD9]
}
