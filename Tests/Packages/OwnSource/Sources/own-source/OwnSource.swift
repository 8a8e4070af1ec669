import FrameStreaming

/// Ten pictures of a ramp that moves.
struct Ramp: FrameSource {
    let isLive = false
    let pool = FramePool(capacity: 4)
    var number: UInt64 = 0

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        guard number < 10 else { return nil }
        let format = try FrameFormat(width: 64, height: 48, pixelFormat: .gray8, colorRange: .full)
        var buffer = pool.buffer(byteCount: format.byteCount)
        var samples = buffer.samples
        for index in samples.indices {
            samples[index] = UInt8(truncatingIfNeeded: index / 64 + Int(number))
        }
        defer { number += 1 }
        return .frame(try buffer.makeFrame(format: format, captureTime: CaptureTime(.now), sequence: number))
    }
}

/// Runs of equal bytes as (count, byte): a format of one's own, by a fourcc of one's own.
struct RunLengthCodec: FrameCodec {
    static let runs = PixelFormat(fourcc: "RLE8")
    let pool = FramePool(capacity: 8)

    // A relay with this codec passes runs on, and a receiver tells its sender that it decodes them.
    var encodedFormats: [PixelFormat] { [Self.runs].compactMap(\.self) }
    var decodableFormats: [PixelFormat] { encodedFormats }

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        guard frame.format.pixelFormat == .gray8, let runs = Self.runs else {
            throw FrameStreamingError(.unsupported, "runs are made of GRAY8 only, not of \(frame.format)")
        }
        var buffer = pool.buffer(byteCount: 2 * frame.byteCount)
        let source = frame.samples
        var target = buffer.samples
        var (read, written) = (0, 0)
        while read < source.count {
            let value = source[read]
            var count = 1
            while count < 255, read + count < source.count, source[read + count] == value { count += 1 }
            target[written] = UInt8(count)
            target[written + 1] = value
            read += count
            written += 2
        }
        let format = try FrameFormat(width: frame.format.width, height: frame.format.height, pixelFormat: runs)
        var result = try buffer.makeFrame(format: format, usedBytes: written)
        result.takeDescription(of: frame)
        return result
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        let format = try FrameFormat(
            width: frame.format.width, height: frame.format.height, pixelFormat: .gray8, colorRange: .full)
        var buffer = pool.buffer(byteCount: format.byteCount)
        let source = frame.samples
        var target = buffer.samples
        var written = 0
        for index in stride(from: 0, to: source.count - 1, by: 2) {
            for _ in 0..<source[index] where written < format.byteCount {
                target[written] = source[index + 1]
                written += 1
            }
        }
        guard written == format.byteCount else { throw FrameStreamingError(.corruptImage, "the runs end early") }
        var result = try buffer.makeFrame(format: format)
        result.takeDescription(of: frame)
        return result
    }
}

@main
struct OwnSource {
    static func main() async throws {
        let codec = RunLengthCodec()
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver(for: codec), handshake: .binary)
        async let sent = send(to: listener.address)
        var connections = listener.connections.makeAsyncIterator()
        guard let transport = try await connections.next() else { fatalError("the listener has stopped") }
        let receiver = try FrameReceiver(codec: codec, transport: transport)
        var count = 0
        for try await received in receiver.frames {
            let samples = received.frame.samples
            for index in samples.indices where samples[index] != UInt8(truncatingIfNeeded: index / 64 + count) {
                fatalError("picture \(count) differs at byte \(index)")
            }
            count += 1
        }
        let total = try await sent
        guard count == 10, total.acknowledged == 10, total.bytes < 10 * 64 * 48 / 10 else {
            fatalError("\(count) pictures came, \(total.acknowledged) were acknowledged, in \(total.bytes) bytes")
        }
        print("10 of 10 pictures, \(total.bytes) bytes")
    }

    static func send(to address: String) async throws -> SenderStatistics {
        let transport = try await TCPTransport.connect(to: address, role: .sender)
        var source = Ramp()
        let sender = try FrameSender(
            codec: RunLengthCodec(), transport: transport, options: SenderOptions(for: source))
        return try await sender.run(&source).total
    }
}
