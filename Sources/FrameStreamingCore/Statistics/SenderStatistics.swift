/// What happened to the pictures that a sender took from its source,
/// for one connection or all of them.
///
/// At the end `produced == acknowledged + dropped.total + failed + lost`. Before it, the
/// difference is queued or in flight.
public struct SenderStatistics: Sendable {
    /// Pictures that were dropped before they were sent, by reason.
    public struct Dropped: Hashable, Sendable {
        /// Replaced by a newer picture.
        public var replaced = 0
        /// Too old when credit arrived.
        public var deadline = 0
        /// Dropped because the link allows only a lower rate.
        public var rate = 0
        /// The connection ended first.
        public var disconnected = 0

        /// All of them.
        public var total: Int { replaced + deadline + rate + disconnected }
    }

    /// Pictures that the source gave for this connection.
    public var produced = 0
    /// Of these, pictures that were decoded with warnings on the way (``Frame/hasDecodeWarnings``): the
    /// source turned a cut or damaged JPEG.
    public var decodeWarnings = 0
    /// Frames that were handed to the connection.
    public var sent = 0
    /// Frames that were sent again over another connection, because the one before
    /// broke without an acknowledgement.
    public var resent = 0
    /// Frames that the receiver acknowledged as consumed or skipped.
    public var acknowledged = 0
    /// Pictures that were never sent.
    public var dropped = Dropped()
    /// Pictures that could not be encoded, frames that the connection refused, and frames that the
    /// receiver could not decode or refused.
    public var failed = 0
    /// Frames that were sent and not acknowledged before the connection ended.
    public var lost = 0
    /// Bytes of the frames sent, without the protocol's own.
    public var bytes = 0
    /// The pixel format of the last frame that was sent; nil before the first.
    public var format: PixelFormat?
    /// From a frame's capture until the source gave it, on this machine's CLOCK_MONOTONIC. Empty if
    /// the source gives no capture time.
    public var captureDelay = DurationHistogram()
    /// From when the source gave the picture until it was sent, without encoding.
    public var creditWait = DurationHistogram()
    /// Time in the codec.
    public var encodeTime = DurationHistogram()
    /// From handing a frame to the connection to the arrival of its last byte. Empty while
    /// the receiver's clock is unknown.
    public var wireTime = DurationHistogram()
    /// From its arrival until it was consumed: the receiver's queue, decoding and consumer. Empty
    /// if the receiver reports no times.
    public var receiverTime = DurationHistogram()
    /// The first part of ``receiverTime``: waiting for the consumer. Empty if
    /// the receiver does not report it.
    public var queueTime = DurationHistogram()
    /// The second part of ``receiverTime``: the receiver's codec. Empty if the receiver does
    /// not report it, or does not decode.
    public var decodeTime = DurationHistogram()
    /// The last part of ``receiverTime``: the consumer. Empty if the receiver does not report it.
    public var consumeTime = DurationHistogram()
    /// Time from handing a frame to the connection to its acknowledgement.
    public var ackTime = DurationHistogram()
    /// When the first frame was handed to the connection.
    public var firstSend: MonotonicTime?
    /// When the last acknowledgement arrived.
    public var lastAcknowledgement: MonotonicTime?
    var clockErrors = ClockErrors()

    /// Nothing yet.
    public init() {}

    /// The error of ``wireTime``, in either direction: the
    /// mean of ``Peer/clockError`` over the frames. 0 on one machine; nil
    /// while the receiver's clock is unknown.
    public var clockError: Duration? { clockErrors.mean }

    /// From the first frame sent to the last one acknowledged; zero before.
    public var duration: Duration {
        guard let firstSend, let lastAcknowledgement else { return .zero }
        return firstSend.duration(to: lastAcknowledgement)
    }

    /// Frames acknowledged per second.
    public var framesPerSecond: Double {
        let seconds = duration.inSeconds
        return seconds > 0 ? Double(acknowledged) / seconds : 0
    }

    /// Adds what `other` counted: another connection's, for a total.
    public mutating func merge(_ other: SenderStatistics) {
        produced += other.produced
        decodeWarnings += other.decodeWarnings
        sent += other.sent
        resent += other.resent
        acknowledged += other.acknowledged
        dropped.replaced += other.dropped.replaced
        dropped.deadline += other.dropped.deadline
        dropped.rate += other.dropped.rate
        dropped.disconnected += other.dropped.disconnected
        failed += other.failed
        lost += other.lost
        bytes += other.bytes
        format = other.format ?? format
        captureDelay.merge(other.captureDelay)
        creditWait.merge(other.creditWait)
        encodeTime.merge(other.encodeTime)
        wireTime.merge(other.wireTime)
        receiverTime.merge(other.receiverTime)
        queueTime.merge(other.queueTime)
        decodeTime.merge(other.decodeTime)
        consumeTime.merge(other.consumeTime)
        ackTime.merge(other.ackTime)
        clockErrors.merge(other.clockErrors)
        firstSend = [firstSend, other.firstSend].compactMap(\.self).min()
        lastAcknowledgement = [lastAcknowledgement, other.lastAcknowledgement].compactMap(\.self).max()
    }

    /// Makes the figures compact, until something is measured again.
    mutating func compact() {
        captureDelay.compact()
        creditWait.compact()
        encodeTime.compact()
        wireTime.compact()
        receiverTime.compact()
        queueTime.compact()
        decodeTime.compact()
        consumeTime.compact()
        ackTime.compact()
    }

    /// Subtracts the counts of `earlier`; times are kept.
    mutating func subtractCounts(of earlier: SenderStatistics) {
        produced -= earlier.produced
        decodeWarnings -= earlier.decodeWarnings
        sent -= earlier.sent
        resent -= earlier.resent
        acknowledged -= earlier.acknowledged
        dropped.replaced -= earlier.dropped.replaced
        dropped.deadline -= earlier.dropped.deadline
        dropped.rate -= earlier.dropped.rate
        dropped.disconnected -= earlier.dropped.disconnected
        failed -= earlier.failed
        lost -= earlier.lost
        bytes -= earlier.bytes
    }
}

extension SenderStatistics: CustomStringConvertible {
    /// A line: `300 produced, 298 acknowledged, 2 dropped, 0 failed, 0 lost, 12.3 MB, ack p50 ...`.
    public var description: String {
        "\(produced) produced, \(acknowledged) acknowledged, \(dropped.total) dropped, \(failed) failed, \(lost) lost, \(bytes) bytes, acknowledged after \(ackTime)"
    }
}
