import FrameStreaming

/// Ten gray pictures a second.
struct Blinker: FrameSource {
    let isLive = true
    let clock = SystemClock()
    let pool = FramePool(capacity: 8)
    var due = MonotonicTime.now
    var number: UInt64 = 0

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        // The sender asks with slices of 50 ms, so that it can be stopped. Nothing in time
        // is `timedOut`, and it asks again.
        if let limit = deadline.time, limit < due {
            clock.sleep(until: limit)
            throw FrameStreamingError(.timedOut, "the next picture is not due yet")
        }
        clock.sleep(until: due)
        due = due.advanced(by: .milliseconds(100))
        number += 1
        let format = try FrameFormat(width: 64, height: 48, pixelFormat: .gray8, colorRange: .full)
        var buffer = pool.buffer(byteCount: format.byteCount)
        var samples = buffer.samples
        for index in samples.indices { samples[index] = UInt8(truncatingIfNeeded: number) }
        return .frame(try buffer.makeFrame(format: format, captureTime: CaptureTime(.now), sequence: number))
    }
}

@main struct LiveSource {
    static func main() throws {
        var source = Blinker()
        let transport = try TCPTransport.connect(to: "localhost:5600", role: .sender)
        let sender = try FrameSender(codec: JPEGCodec(), transport: transport, options: SenderOptions(for: source))
        try sender.run(&source)
    }
}
