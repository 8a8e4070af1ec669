/// What a receiver got, for one connection or all of them.
public struct ReceiverStatistics: Sendable {
    /// Frames that the consumer had and was done with.
    public var frames = 0
    /// Bytes of the frames that arrived, without the protocol's own.
    public var bytes = 0
    /// Frames that did not decode or were refused.
    public var decodeFailures = 0
    /// Pictures that the sender dropped before it sent the next; nil where the handshake does not tell.
    public var skippedBySender: Int?
    /// Frames that arrived and were passed over by ``FrameReceiver/latest(until:)``.
    public var skippedHere = 0
    /// From capture to consumed, the consumer's own time included. Empty where the peer gives no time.
    public var latency = DurationHistogram()
    /// From arrival to the consumer.
    public var queueTime = DurationHistogram()
    /// Time in the codec.
    public var decodeTime = DurationHistogram()
    /// When the first frame had arrived.
    public var firstArrival: MonotonicTime?
    /// When the last frame was consumed.
    public var lastConsumed: MonotonicTime?

    /// Nothing yet.
    public init() {}

    /// Pictures of the source that the consumer never saw, on whichever side they were passed over; nil = not known.
    public var skipped: Int? { skippedBySender.map { $0 + skippedHere } }

    /// Seconds from the first arrival to the last frame consumed.
    public var seconds: Double {
        guard let firstArrival, let lastConsumed else { return 0 }
        return Double(lastConsumed.nanoseconds - firstArrival.nanoseconds) / 1e9
    }

    /// Frames consumed per second.
    public var framesPerSecond: Double { seconds > 0 ? Double(frames) / seconds : 0 }

    /// Adds what `other` counted: another connection's, for a total.
    public mutating func merge(_ other: ReceiverStatistics) {
        frames += other.frames
        bytes += other.bytes
        decodeFailures += other.decodeFailures
        if let theirs = other.skippedBySender { skippedBySender = (skippedBySender ?? 0) + theirs }
        skippedHere += other.skippedHere
        latency.merge(other.latency)
        queueTime.merge(other.queueTime)
        decodeTime.merge(other.decodeTime)
        firstArrival = [firstArrival, other.firstArrival].compactMap(\.self).min()
        lastConsumed = [lastConsumed, other.lastConsumed].compactMap(\.self).max()
    }
}

extension ReceiverStatistics: CustomStringConvertible {
    /// A line: `298 frames, 12345 bytes, 0 undecodable, 2 skipped, latency p50 ...`.
    public var description: String {
        "\(frames) frames, \(bytes) bytes, \(decodeFailures) undecodable, \(skipped.map(String.init) ?? "unknown") skipped, latency \(latency)"
    }
}
