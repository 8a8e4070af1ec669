internal import FrameStreamingCore

/// An image that is being read from the socket into a pool's buffer.
struct IncomingImage: ~Copyable {
    private var buffer: FrameBuffer
    private var filled = 0

    init(byteCount: Int, from pool: FramePool) { buffer = pool.buffer(byteCount: byteCount) }

    var isComplete: Bool { filled == buffer.byteCount }
    var byteCount: Int { buffer.byteCount }

    /// Takes the bytes that were read together with the header.
    mutating func take(from input: inout InputBuffer) {
        let start = filled
        var bytes = buffer.bytes
        let count = input.move(to: &bytes, at: start)
        filled = start + count
    }

    /// Reads more bytes, straight into the buffer; 0 = the peer's bytes have ended.
    ///
    /// - Parameter most: The most bytes to read.
    mutating func read(
        _ most: Int, from channel: Channel, until deadline: Int64?, driving writer: MessageWriter
    ) throws(FrameStreamingError) -> Int {
        let start = filled
        let isPart = most < buffer.byteCount - start
        var bytes = buffer.bytes
        if isPart {
            // The name that the standard library has for it, for now (SE-0467).
            var part = bytes._mutatingExtracting(0..<start + most)
            let count = try channel.read(
                into: &part, at: start, wanting: .everything, until: deadline, driving: writer)
            filled = start + count
            return count
        }
        let count = try channel.read(
            into: &bytes, at: start, wanting: .everything, until: deadline, driving: writer)
        filled = start + count
        return count
    }

    /// Takes the image's bytes in `input`, and reads the rest straight into the buffer. If it
    /// throws, the bytes that were read are kept.
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
            let most = watch.largestRead
            try watch.reading(from: channel, until: limit, driving: writer) { until throws(FrameStreamingError) in
                try read(most, from: channel, until: until, driving: writer)
            }
        }
    }

    /// Calls `body` with the image's bytes.
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
