import FrameStreamingTesting

/// What a user's test of a source needs.
func arrivals() throws(FrameStreamingError) -> [UInt64] {
    let format = try FrameFormat(width: 17, height: 13, pixelFormat: .gray8)
    var frames: [Frame] = []
    for number in 0..<3 as Range<UInt64> {
        frames.append(try .filled(format, sequence: number) { UInt8(truncatingIfNeeded: $0) })
    }
    var source = ScriptedSource(frames)
    return try stream(&source).map(\.frame.sequence)
}

func pair() -> [Peer] {
    let link = MemoryTransport.pair(creditAhead: 2, pixelFormats: [.gray8])
    let clock = ScriptedClock()
    clock.advance(by: .seconds(1))
    return [link.sender.peer, link.receiver.peer]
}
