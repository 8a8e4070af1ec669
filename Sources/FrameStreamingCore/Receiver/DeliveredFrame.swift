/// A frame that the consumer has, with the times of its stages, which are
/// counted when it asks for the next.
struct DeliveredFrame {
    var frame: ReceivedFrame
    /// The estimate of the sender's clock when it was delivered.
    var clock: ClockFilter.Estimate?
    /// When it was taken for the consumer.
    var taken: MonotonicTime
    /// When it was decoded; nil = it was not.
    var decoded: MonotonicTime?
    /// Whether the consumer has it. A frame for a task is on its way until the task, which may be
    /// cancelled meanwhile, gets it.
    var isHandedOver = false

    /// - Parameters:
    ///   - item: The frame as it arrived.
    ///   - frame: The same, decoded if it was.
    init(
        _ item: ReceiverInbox.Item, as frame: Frame, clock: ClockFilter.Estimate?, taken: MonotonicTime,
        decoded: MonotonicTime?
    ) {
        var captured: MonotonicTime?
        var captureError: Duration?
        if let time = item.frame.captureTime, time.clock == .monotonic, let clock {
            captured = MonotonicTime(nanoseconds: time.nanoseconds &+ clock.offset)
            captureError = max(.zero, time.error) + .nanoseconds(clock.error)
        }
        self.frame = ReceivedFrame(
            frame: frame, encoded: item.frame, info: item.info, localCaptureTime: captured,
            captureError: captureError)
        (self.clock, self.taken, self.decoded) = (clock, taken, decoded)
    }

    /// Nanoseconds from its arrival until it was taken; nil if the arrival is not known.
    var queueTime: Int64? {
        frame.info.arrivalTime.map { max(0, taken.nanoseconds &- $0.nanoseconds) }
    }

    /// Nanoseconds in the codec; nil = it was not decoded.
    var decodeTime: Int64? { decoded.map { $0.nanoseconds - taken.nanoseconds } }
}

extension ReceiverStatistics {
    /// Counts a frame that was consumed at `now`, with its stages. The peer reports its
    /// times, so no difference may trap.
    mutating func record(_ delivered: DeliveredFrame, consumed now: MonotonicTime) {
        frames += 1
        lastConsumed = now
        let info = delivered.frame.info
        if let time = info.encodeNanoseconds { encodeTime.record(nanoseconds: time) }
        if let time = info.creditWaitNanoseconds { creditWait.record(nanoseconds: time) }
        if let sent = info.sendTime {
            if let captured = delivered.frame.encoded.captureTime, captured.clock == .monotonic,
                let encoding = info.encodeNanoseconds, let waiting = info.creditWaitNanoseconds
            {
                // All of these times are of the sender's clock.
                captureDelay.record(nanoseconds: sent.nanoseconds &- captured.nanoseconds &- encoding &- waiting)
            }
            if let arrived = info.arrivalTime, let clock = delivered.clock {
                wireTime.record(nanoseconds: arrived.nanoseconds &- (sent.nanoseconds &+ clock.offset))
            }
        }
        if let captured = delivered.frame.localCaptureTime {
            latency.record(nanoseconds: now.nanoseconds &- captured.nanoseconds)
        }
        if let clock = delivered.clock {
            clockErrors.record(nanoseconds: delivered.frame.captureError?.wholeNanoseconds ?? clock.error)
        }
        queueTime.record(nanoseconds: delivered.queueTime ?? 0)
        if let time = delivered.decodeTime { decodeTime.record(nanoseconds: time) }
        consumeTime.record(nanoseconds: now.nanoseconds - (delivered.decoded ?? delivered.taken).nanoseconds)
    }
}
