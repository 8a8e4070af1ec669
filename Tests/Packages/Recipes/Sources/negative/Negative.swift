import FrameStreaming

/// The frame with every sample turned over, in memory from `pool`.
func negative(of frame: Frame, from pool: FramePool) throws -> Frame {
    var buffer = pool.buffer(byteCount: frame.byteCount)
    for index in 0..<frame.format.planeCount {
        let source = frame.plane(index)
        // `layout` says where the plane's rows lie: `stride` bytes
        // apart, `rowBytes` of them samples.
        var target = buffer.plane(source.layout)
        for y in 0..<source.layout.height {
            let row = source.row(y)
            for x in row.indices { target[y * source.layout.stride + x] = 255 - row[x] }
        }
    }
    var result = try buffer.makeFrame(format: frame.format)
    result.takeDescription(of: frame)
    return result
}

@main struct Negative {
    static func main() throws {
        let pool = FramePool(capacity: 2)
        let codec = JPEGCodec()
        let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec), handshake: .automatic)
        let receiver = try FrameReceiver(
            codec: codec, transport: try listener.accept(), decode: DecodeSettings(pixelFormat: .gray8))
        let recorder = try Y4MRecorder(path: "negative.y4m")
        while let received = try receiver.next() { try recorder.write(try negative(of: received.frame, from: pool)) }
        recorder.close()
    }
}
