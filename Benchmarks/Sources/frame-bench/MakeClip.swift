import ArgumentParser
import FrameStreaming
import FrameStreamingTesting

/// A clip for those who have none: the test pattern with noise on it, so
/// that the codec has something to do.
struct MakeClip: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Writes a clip of the test pattern with noise as Y4M.")
    @Argument var path: String
    @Option var frames = 300

    func run() throws {
        var source = try TestPatternSource(width: 1280, height: 720, pace: .maximum)
        let recorder = try Y4MRecorder(path: path, options: RecordingOptions(existing: .replace))
        let pool = FramePool(capacity: 2)
        var random = Noise()
        for _ in 0..<frames {
            guard case .frame(let clean) = try source.next(until: .never) else { break }
            var buffer = pool.buffer(byteCount: clean.byteCount)
            unsafe buffer.withUnsafeMutableBytes { target in
                unsafe clean.withUnsafeBytes { picture in
                    let luma = clean.format.plane(0).byteCount
                    for index in 0..<picture.count {
                        let value = unsafe Int(picture[index])
                        // About what a small sensor has in a room: a
                        // few steps of luma, none of chroma.
                        let noisy = index < luma ? value + random.next() : value
                        unsafe target[index] = UInt8(clamping: min(235, max(16, noisy)))
                    }
                }
            }
            try recorder.write(try buffer.makeFrame(format: clean.format, captureTime: clean.captureTime))
        }
        recorder.close()
    }
}

/// Sums of two uniform steps, -7...8, the same in every run.
private struct Noise {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func next() -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 40 & 7) + Int(state >> 50 & 7) - 7
    }
}
