import FrameStreamingFiles

/// Reads a film, and keeps its luma.
func copyLuma(from path: String, to target: String) throws(FrameStreamingError) -> Int {
    let source = try RawFileSource(path: path, options: PlaybackOptions(pace: .maximum))
    let recorder = try Y4MRecorder(path: target, rate: .thirty, options: RecordingOptions(existing: .nextName))
    let pool = FramePool(capacity: 2)
    var count = 0
    while case .frame(let frame)? = try source.next(until: .never) {
        let luma = frame.plane(0)
        let format = try FrameFormat(width: frame.format.width, height: frame.format.height, pixelFormat: .gray8)
        var buffer = pool.buffer(byteCount: format.byteCount)
        var target = buffer.plane(format.plane(0))
        for y in 0..<luma.layout.height {
            let row = luma.row(y)
            for x in row.indices { target[y * row.count + x] = row[x] }
        }
        try recorder.write(try buffer.makeFrame(format: format))
        count += 1
    }
    recorder.close()
    return count
}

func pattern() throws(FrameStreamingError) -> SourceEvent? {
    var source = try TestPatternSource(width: 64, height: 48)
    return try source.next(until: .after(.seconds(1)))
}

/// Records what a receiver gets, as it came, each frame with its time.
func record(_ receiver: FrameReceiver) throws(FrameStreamingError) {
    let recorder = try FilmRecorder(path: "out.mkv", stream: receiver.peer.stream)
    while let received = try receiver.next() { try recorder.write(received.forwarded()) }
    recorder.close()
}

/// A recorder of a user's own: it keeps the newest frames in memory.
final class MemoryRecorder: FrameRecorder {
    let path = "memory"
    let number = 1
    private(set) var frameCount = 0
    private var frames: [Frame] = []

    func accepts(_ frame: Frame) -> Bool { frames.last.map { $0.format == frame.format } ?? true }

    func write(_ frame: Frame) throws(FrameStreamingError) {
        guard accepts(frame) else { throw FrameStreamingError(.unsupported, "all frames have one format") }
        frames = frames.suffix(99) + [frame.copy()]
        frameCount += 1
    }

    func suspend() {}
    func close() { frames = [] }
}

/// Records when something happens, with the ten seconds before it.
func record(
    _ receiver: FrameReceiver, to recorder: FilmRecorder, where isOfInterest: (ReceivedFrame) -> Bool
) throws(FrameStreamingError) {
    var preRoll = PreRoll(duration: .seconds(10), maximumByteCount: 64 << 20)
    while let received = try receiver.next() {
        if preRoll.add(received.forwarded(), at: .now) { try receiver.request(.keyFrame) }
        guard isOfInterest(received) else { continue }
        for frame in preRoll.takeAll() { try recorder.write(frame) }
    }
}
