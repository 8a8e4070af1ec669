import ArgumentParser
import FrameStreaming
import Glibc

/// What the parts of the sender's work beside the codec cost, each alone: reading a frame, and
/// the range pass (encoding a limited range picture minus encoding the same bytes as full range).
/// CPU time of the thread, per frame.
struct Parts: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var clip: String
    @Option var frames: Int
    @Option var quality: Int

    func run() throws {
        let codec = JPEGCodec()
        let settings = EncodeSettings(quality: quality)
        let limited = try RawFileSource(path: clip, options: PlaybackOptions(loop: true, pace: .maximum))
        let pool = FramePool(capacity: 2)
        var times: [String: [Double]] = [:]
        func timed<Value>(_ name: String, _ body: () throws -> Value) rethrows -> Value {
            let start = threadTime()
            let value = try body()
            times[name, default: []].append(threadTime() - start)
            return value
        }
        for _ in 0..<frames {
            guard case .frame(let first)? = try timed("read", { try limited.next(until: .never) }) else { return }
            let second = try asFullRange(first, from: pool)
            _ = try timed("limited") { try codec.encode(first, settings) }
            _ = try timed("full") { try codec.encode(second, settings) }
        }
        func mean(_ name: String) -> Double {
            let all = times[name] ?? []
            return all.reduce(0, +) / Double(all.count)
        }
        printFigures([
            "readMicroseconds": mean("read") * 1e6, "rangeMicroseconds": (mean("limited") - mean("full")) * 1e6,
            "encodeMicroseconds": mean("full") * 1e6,
        ])
    }
}

/// The same bytes, said to be full range.
private func asFullRange(_ frame: Frame, from pool: FramePool) throws -> Frame {
    var buffer = pool.buffer(byteCount: frame.byteCount)
    unsafe buffer.withUnsafeMutableBytes { target in
        unsafe frame.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
    }
    let format = frame.format
    return try buffer.makeFrame(
        format: FrameFormat(
            width: format.width, height: format.height, pixelFormat: format.pixelFormat, colorRange: .full,
            colorMatrix: format.colorMatrix))
}

/// CPU seconds of this thread.
func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
