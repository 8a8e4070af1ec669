package import FrameStreaming

/// One stage of a frame's way, by its name in the output.
package struct StageTime: Sendable {
    package let name: String
    package let time: DurationHistogram
    /// Whether it begins on one machine's clock and ends on the other's.
    package let crosses: Bool

    init(_ name: String, _ time: DurationHistogram, crosses: Bool = false) {
        self.name = name
        self.time = time
        self.crosses = crosses
    }
}

extension ReceiverStatistics {
    /// From capture to consumed, without a gap.
    package var stages: [StageTime] {
        [
            StageTime("capture", captureDelay), StageTime("wait", creditWait), StageTime("encode", encodeTime),
            StageTime("wire", wireTime, crosses: true), StageTime("queue", queueTime), StageTime("decode", decodeTime),
            StageTime("consume", consumeTime),
        ]
    }
}

extension SenderStatistics {
    /// From capture to consumed, without a gap. The receiver reports its own stages.
    package var stages: [StageTime] {
        [
            StageTime("capture", captureDelay), StageTime("wait", creditWait), StageTime("encode", encodeTime),
            StageTime("wire", wireTime, crosses: true), StageTime("queue", queueTime), StageTime("decode", decodeTime),
            StageTime("consume", consumeTime),
        ]
    }
}
