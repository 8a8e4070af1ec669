/// A receiver's figures, for one connection or all of them.
///
/// The stages of a frame add up to its latency: ``captureDelay``, ``creditWait``, ``encodeTime``,
/// ``wireTime``, ``queueTime``, ``decodeTime``, ``consumeTime``.
public struct ReceiverStatistics: Sendable {
    /// Frames that the consumer has finished with.
    public var frames = 0
    /// Bytes of the frames that arrived, without the protocol's own.
    public var bytes = 0
    /// The pixel format of the last frame that arrived; nil before the first.
    public var format: PixelFormat?
    /// Frames that did not decode or were refused.
    public var decodeFailures = 0
    /// Frames that decoded with warnings and were delivered (``Frame/hasDecodeWarnings``).
    public var decodeWarnings = 0
    /// Pictures that the sender dropped before it sent the next; nil if
    /// the handshake does not report them.
    public var skippedBySender: Int?
    /// Frames that arrived and were skipped by `FrameReceiver.latest(until:)`.
    public var skippedHere = 0
    /// Frames that arrived but were not delivered: this side was stopped or cancelled,
    /// or the connection broke and the consumer did not take them in time. They were
    /// neither decoded nor acknowledged.
    public var droppedAtEnd = 0
    /// How often the sender reached a limit of this side.
    public var limits = LimitCounts()
    /// From capture to consumed, the consumer's own time included.
    /// Empty where the peer gives no time.
    public var latency = DurationHistogram()
    /// From a frame's capture until the sender had it from its source, on the sender's
    /// CLOCK_MONOTONIC. Empty if the peer gives no capture time.
    public var captureDelay = DurationHistogram()
    /// From then until the sender sent it, without encoding. Empty where the peer gives no time.
    public var creditWait = DurationHistogram()
    /// Time in the sender's codec. Empty where the peer gives no time.
    public var encodeTime = DurationHistogram()
    /// From handing the frame to the connection to the arrival of its last byte. Empty while
    /// nothing is known of the peer's clock.
    public var wireTime = DurationHistogram()
    /// From arrival to being taken for the consumer.
    public var queueTime = DurationHistogram()
    /// Time in the codec.
    public var decodeTime = DurationHistogram()
    /// From being handed to the consumer to its asking for the next frame.
    public var consumeTime = DurationHistogram()
    /// When the first frame had arrived.
    public var firstArrival: MonotonicTime?
    /// When the last frame was consumed.
    public var lastConsumed: MonotonicTime?
    var clockErrors = ClockErrors()

    /// Nothing yet.
    public init() {}

    /// Pictures of the source that the consumer never saw, whichever
    /// side skipped them; nil = not known.
    public var skipped: Int? { skippedBySender.map { $0.addingClamped(skippedHere) } }

    /// The error of ``latency`` and ``wireTime``, in either
    /// direction: the mean of ``Peer/clockError`` over the frames. 0 on one machine;
    /// nil while the peer's clock is unknown.
    public var clockError: Duration? { clockErrors.mean }

    /// From the first arrival to the last frame consumed; zero before.
    public var duration: Duration {
        guard let firstArrival, let lastConsumed else { return .zero }
        return firstArrival.duration(to: lastConsumed)
    }

    /// Frames consumed per second.
    public var framesPerSecond: Double {
        let seconds = duration.inSeconds
        return seconds > 0 ? Double(frames) / seconds : 0
    }

    /// Adds what `other` counted: another connection's, for a total.
    public mutating func merge(_ other: ReceiverStatistics) {
        frames += other.frames
        bytes += other.bytes
        format = other.format ?? format
        decodeFailures += other.decodeFailures
        decodeWarnings += other.decodeWarnings
        if let theirs = other.skippedBySender { skippedBySender = (skippedBySender ?? 0).addingClamped(theirs) }
        skippedHere += other.skippedHere
        droppedAtEnd += other.droppedAtEnd
        limits.merge(other.limits)
        latency.merge(other.latency)
        captureDelay.merge(other.captureDelay)
        creditWait.merge(other.creditWait)
        encodeTime.merge(other.encodeTime)
        wireTime.merge(other.wireTime)
        queueTime.merge(other.queueTime)
        decodeTime.merge(other.decodeTime)
        consumeTime.merge(other.consumeTime)
        clockErrors.merge(other.clockErrors)
        firstArrival = [firstArrival, other.firstArrival].compactMap(\.self).min()
        lastConsumed = [lastConsumed, other.lastConsumed].compactMap(\.self).max()
    }
}

extension ReceiverStatistics: CustomStringConvertible {
    /// A line: `298 frames, 12345 bytes, 0 undecodable, 2 skipped, latency p50 ...`.
    public var description: String {
        let error = clockError.map { $0 > .zero ? " ± \(($0.inMilliseconds * 10).rounded(.up) / 10)" : "" } ?? ""
        return
            "\(frames) frames, \(bytes) bytes, \(decodeFailures) undecodable, \(skipped.map(String.init) ?? "unknown") skipped, latency \(latency)\(error)"
    }
}
