/// What a sender measures about each frame, in addition to the flow control's counts.
///
/// A frame is counted once, in the present interval. The total is the sum of
/// the earlier intervals and this one.
struct SenderStages: Sendable {
    private var before = SenderStatistics()
    private var interval = SenderStatistics()

    /// Counts a frame that is handed to the connection: ``FrameInfo/encodeTime``, `creditWait`, and
    /// the time from capture to the source's offer, if the source gives a capture time.
    mutating func record(sent info: FrameInfo, captured: CaptureTime?, offered: MonotonicTime) {
        if let captured, captured.clock == .monotonic {
            interval.captureDelay.record(nanoseconds: offered.nanoseconds &- captured.nanoseconds)
        }
        if let time = info.creditWaitNanoseconds { interval.creditWait.record(nanoseconds: time) }
        if let time = info.encodeNanoseconds { interval.encodeTime.record(nanoseconds: time) }
    }

    /// Counts a frame that was acknowledged. The peer reports its times, so no difference may trap.
    ///
    /// - Parameters:
    ///   - sent: When the frame was handed to the connection.
    ///   - clock: The estimate of the receiver's clock.
    mutating func record(
        acknowledged word: Acknowledgement, sent: MonotonicTime, at now: MonotonicTime, clock: ClockFilter.Estimate?
    ) {
        interval.ackTime.record(nanoseconds: now.nanoseconds &- sent.nanoseconds)
        guard let arrived = word.arrivalTime else { return }
        if let clock {
            interval.wireTime.record(nanoseconds: arrived.nanoseconds &+ clock.offset &- sent.nanoseconds)
            interval.clockErrors.record(nanoseconds: clock.error)
        }
        guard let consumed = word.consumedTime else { return }
        let whole = consumed.nanoseconds &- arrived.nanoseconds
        interval.receiverTime.record(nanoseconds: whole)
        guard let queue = word.queueNanoseconds else { return }
        interval.queueTime.record(nanoseconds: queue)
        if let decode = word.decodeNanoseconds { interval.decodeTime.record(nanoseconds: decode) }
        interval.consumeTime.record(nanoseconds: whole &- queue &- (word.decodeNanoseconds ?? 0))
    }

    /// Makes the figures compact, because nothing more will be measured.
    mutating func compact() {
        before.compact()
        interval.compact()
    }

    /// All measurements, to be merged with the flow control's counts.
    var total: SenderStatistics {
        var result = before
        result.merge(interval)
        return result
    }

    /// Returns what was measured since the last call.
    mutating func takeInterval() -> SenderStatistics {
        defer { interval = SenderStatistics() }
        before.merge(interval)
        return interval
    }
}
