import ArgumentParser
import FrameStreaming
import FrameStreamingTesting
import Glibc

/// JPEGs of a camera through the codec and `FrameSender` to a socket: the time that the process
/// spends outside the kernel, per frame, beside that of one copy of the frame. The kernel's copy
/// into the socket is not in it; another one by us would be.
struct PassThrough: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var to: String
    @Option var frames: Int
    @Option var bytes = 1_000_000

    func run() throws {
        // As many as a camera's ring has and more than the caches hold of.
        let format = try FrameFormat(width: 1920, height: 1080, pixelFormat: .jpeg)
        let pictures = try (0..<16).map { number in
            try Frame.filled(format, byteCount: bytes) { UInt8(truncatingIfNeeded: $0 &+ number) }
        }
        var source = RingSource(pictures: pictures, left: frames)
        let transport = try TCPTransport.connect(to: to, role: .sender, until: .after(.seconds(10)))
        let sender = try FrameSender(
            codec: JPEGCodec(), transport: transport, options: SenderOptions(policy: .reliable, window: 4))
        let before = userTime()
        let summary = try sender.run(&source)
        let user = userTime() - before
        guard summary.total.acknowledged == frames else { throw Failure("not all of \(frames) frames were sent") }

        let pool = FramePool(capacity: 16)
        var kept = pictures.map { $0.copy(from: pool) }
        let start = threadTime()
        for number in 0..<frames {
            // Given back first, so that the copy lies in memory that was written before.
            kept.removeFirst()
            kept.append(pictures[number % pictures.count].copy(from: pool))
        }
        let copying = threadTime() - start
        printFigures([
            "userMicroseconds": user / Double(frames) * 1e6, "copyMicroseconds": copying / Double(frames) * 1e6,
        ])
    }
}

/// A camera's buffers, over and over.
private struct RingSource: FrameSource {
    let pictures: [Frame]
    var left: Int
    var isLive: Bool { false }

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        guard left > 0 else { return nil }
        left -= 1
        return .frame(pictures[left % pictures.count])
    }
}

/// User CPU seconds of all threads of this process.
private func userTime() -> Double {
    var usage = rusage()
    getrusage(CInt(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6
}
