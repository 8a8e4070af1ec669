/// What a sender measures of each frame, beside what the flow control counts, which has no clock.
///
/// A frame is counted once, in the interval since the last line per second; the total is what was before and this.
struct SenderStages: Sendable {
    private var before = SenderStatistics()
    private var interval = SenderStatistics()

    /// Counts a frame that is handed to the connection: ``FrameInfo/encodeTime``, `creditWait`, and where the source gave a time,
    /// how long it took to give the picture.
    mutating func record(sent info: FrameInfo, captured: CaptureTime?, offered: MonotonicTime) {
        if let captured, captured.clock == .monotonic {
            interval.captureTime.record(nanoseconds: offered.nanoseconds &- captured.nanoseconds)
        }
        if let time = info.creditWait { interval.creditWait.record(nanoseconds: time) }
        if let time = info.encodeTime { interval.encodeTime.record(nanoseconds: time) }
    }

    /// Counts a frame that was acknowledged. Times are the peer's word, so no difference may trap.
    ///
    /// - Parameters:
    ///   - sent: When the frame was handed to the connection.
    ///   - clock: What is known of the receiver's clock.
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
        guard let queue = word.queueTime else { return }
        interval.queueTime.record(nanoseconds: queue)
        if let decode = word.decodeTime { interval.decodeTime.record(nanoseconds: decode) }
        interval.consumeTime.record(nanoseconds: whole &- queue &- (word.decodeTime ?? 0))
    }

    /// Keeps what was measured, in as little room as it takes: nothing more will be.
    mutating func compact() {
        before.compact()
        interval.compact()
    }

    /// All of it, to be merged with what the flow control counted.
    var total: SenderStatistics {
        var result = before
        result.merge(interval)
        return result
    }

    /// What was measured since the last call of this.
    mutating func takeInterval() -> SenderStatistics {
        defer { interval = SenderStatistics() }
        before.merge(interval)
        return interval
    }
}
