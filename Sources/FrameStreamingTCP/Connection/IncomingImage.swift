internal import FrameStreamingCore

/// An image on its way from the socket into a pool's buffer.
struct IncomingImage: ~Copyable {
    private var buffer: FrameBuffer
    private var filled = 0

    init(byteCount: Int, from pool: FramePool) { buffer = pool.buffer(byteCount: byteCount) }

    var isComplete: Bool { filled == buffer.byteCount }
    var byteCount: Int { buffer.byteCount }

    /// Takes what was read together with the message before it.
    mutating func take(from input: inout InputBuffer) {
        let start = filled
        var bytes = buffer.bytes
        let count = input.move(to: &bytes, at: start)
        filled = start + count
    }

    /// Reads on, straight into the buffer; 0 = the peer's bytes ended.
    mutating func read(
        from channel: Channel, until deadline: Int64?, driving writer: MessageWriter
    ) throws(FrameStreamingError) -> Int {
        let start = filled
        var bytes = buffer.bytes
        let count = try channel.read(
            into: &bytes, at: start, wanting: .everything, until: deadline, driving: writer)
        filled = start + count
        return count
    }

    /// Takes what `input` has of the image, and reads the rest straight into its buffer; what came is kept where it throws.
    ///
    /// - Throws: As ``InputBuffer/fill(from:until:watching:driving:)``.
    mutating func complete(
        with input: inout InputBuffer, from channel: Channel, until limit: Deadline,
        watching watch: inout ReadStallMonitor, driving writer: MessageWriter
    ) throws(FrameStreamingError) {
        while !isComplete {
            if !input.isEmpty {
                take(from: &input)
                continue
            }
            try watch.reading(from: channel, until: limit) { until throws(FrameStreamingError) in
                try read(from: channel, until: until, driving: writer)
            }
        }
    }

    /// The whole image's first `count` bytes, read only.
    mutating func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
        let bytes = buffer.bytes
        return body(bytes.bytes)
    }

    consuming func makeFrame(
        format: FrameFormat, captureTime: CaptureTime?, sequence: UInt64
    ) throws(FrameStreamingError) -> Frame {
        try buffer.makeFrame(format: format, captureTime: captureTime, sequence: sequence)
    }
}
