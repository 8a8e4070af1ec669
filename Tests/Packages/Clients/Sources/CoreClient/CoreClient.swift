import FrameStreamingCore

/// A source, a codec and a transport of a user's own, and a sender and a receiver of them.
struct OneColour: FrameSource {
    let isLive = false
    let pool = FramePool(capacity: 2)
    var number: UInt64 = 0

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        guard number < 3 else { return nil }
        number += 1
        let format = try FrameFormat(width: 3, height: 2, pixelFormat: .nv12)
        var buffer = pool.buffer(byteCount: format.byteCount)
        for index in 0..<format.planeCount {
            var plane = buffer.plane(format.plane(index))
            for place in plane.indices { plane[place] = UInt8(truncatingIfNeeded: number) }
        }
        return .frame(try buffer.makeFrame(format: format, captureTime: CaptureTime(.now), sequence: number))
    }
}

struct AsItIs: FrameCodec {
    var decodableFormats: [PixelFormat] { [.nv12] }
    var encodedFormats: [PixelFormat] { [.nv12] }

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }
    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
}

func send(over transports: [any Transport]) throws(FrameStreamingError) -> SenderStatistics {
    var options = SenderOptions(policy: .reliable)
    options.onEvent = { event in
        switch event {
        case .connected(let peer): print(peer.address)
        case .refused(_, let request, let error): print(request, error.message)
        default: break
        }
    }
    var source = OneColour()
    return try FrameSender(codec: AsItIs(), transports: transports, options: options).run(&source).total
}

func sum(of transport: any Transport) throws(FrameStreamingError) -> Int {
    let receiver = try FrameReceiver(codec: AsItIs(), transport: transport)
    try receiver.request(.quality(50))
    var sum = 0
    while let received = try receiver.next(until: .after(.seconds(5))) {
        let luma = received.frame.plane(0)
        for y in 0..<luma.layout.height {
            let row = luma.row(y)
            for x in row.indices { sum += Int(row[x]) }
        }
    }
    return sum
}

func relay(from near: any Transport, to far: any Transport) throws(FrameStreamingError) {
    var source = ReceiverSource(try FrameReceiver(codec: AsItIs(), transport: near, decode: nil))
    try FrameSender(codec: AsItIs(), transport: far, options: SenderOptions(for: source)).run(&source)
}
