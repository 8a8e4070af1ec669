/// When a picture leaves the slot.
extension FlowControl {
    mutating func take(at now: MonotonicTime, _ decision: inout Decision) {
        wakeAt = nil
        expire(at: now, &decision)
        guard isConnected, !isPaused, !hasEnded else { return }
        if isLimitedByWindow {
            adaptive?.limited(at: now)
            // A larger window comes first, as long as it may be what is missing.
            if adaptive?.mayGrow(at: now) != true { quality?.limited(at: now) }
        }
        while !waiting.isEmpty, taken.count < encoders, mayTake(at: now) {
            taken.append(skippedSinceLast.addingClamped(waiting.removeFirst().leftOut))
            skippedSinceLast = 0
            decision.takes += 1
        }
    }

    /// Whether a picture waits for nothing but the window: neither for the receiver's credit nor for an encoder.
    private var isLimitedByWindow: Bool {
        guard limit == window, underWay + taken.count >= window else { return false }
        if policy == .reliable { return !taken.isEmpty && underWay >= window }
        return !waiting.isEmpty && taken.count < encoders
    }

    private mutating func mayTake(at now: MonotonicTime) -> Bool {
        // No newer picture takes the place of this one: encoding it now makes nothing older, and the credit finds it ready.
        if policy == .reliable { return true }
        let position = underWay + taken.count
        if position < limit { return true }
        // Of `latest` a picture must not be encoded and then be old: only when the credit is as good as here.
        guard position == limit, let oldest = flights.first,
            let (from, through) = prediction.timeToEncode(forAcknowledgementOf: oldest.sent)
        else { return false }
        if now < from {
            wakeAt = from
            return false
        }
        return now <= through
    }

    private mutating func expire(at now: MonotonicTime, _ decision: inout Decision) {
        guard case .deadline(let age) = policy.value else { return }
        while let oldest = waiting.first, oldest.captured.advanced(by: age) < now {
            counts.dropped.deadline += 1
            skipBeforeNext(waiting.removeFirst().leftOut)
            decision.drops += 1
        }
    }
}

extension DeliveryPolicy {
    var isDeadline: Bool {
        if case .deadline = value { true } else { false }
    }
}
