/// How late acknowledgements shrink the window.
extension AdaptiveWindow {
    /// The expected ack time of a frame of this size on an idle link. A frame that is larger than
    /// usual takes at most proportionally longer.
    func expected(for flight: Flight) -> Int64 {
        guard flight.bytes > bytes.value, bytes.value > 0 else { return alone.value }
        let ratio = Double(flight.bytes) / Double(bytes.value)
        return Int64(Double(alone.value) * min(ratio, 16))
    }

    mutating func shrinkIfLate(_ flight: Flight, _ time: Int64, _ late: Int64, at now: Int64) {
        // All recent frames were faster than a lone frame once was, so the path became shorter.
        if let latest = lateness.largest(8), latest < 0 {
            alone.shift(by: latest)
            lateness.removeAll()
            return
        }
        // The window shrinks once for each window of frames, because those
        // in flight are as late as this one.
        if let undo, flight.sequence <= undo.sentAfter { return }
        let isFarTooLate = late > target && time > 2 * expected(for: flight) + target
        let stands = lateness.smallest(max(3, min(settled, 8))).map { $0 > target } ?? false
        guard isFarTooLate || stands else { return }
        let before = settled
        let share = Double(time - late) / Double(time)
        settled = max(1, min(settled - 1, Int(Double(settled) * share)))
        frames = settled
        trial = .none
        cycle.removeAll()
        lateness.removeAll()
        peak = 1
        peakSince = now
        if let unconfirmed {
            self.unconfirmed = nil
            settled = min(settled, unconfirmed.window)
            frames = settled
            holdOff.wait(until: now + 2 * Self.retry)
            undo = (window: settled, sentAfter: lastSent)
        } else {
            undo = (window: before, sentAfter: lastSent)
            holdOff.wait(until: now + 2 * time)
        }
    }

    /// The first frame sent since the window shrank distinguishes a hiccup, after which the window
    /// is restored, from a lasting change.
    mutating func undoOrForget(_ flight: Flight, _ time: Int64, _ late: Int64) {
        guard let undo, flight.sequence > undo.sentAfter else { return }
        self.undo = nil
        lateness.removeAll()
        if late <= target / 2 {
            if undo.window > settled {
                settled = undo.window
                frames = settled
                cycle.removeAll()
            }
        } else if flight.ahead == 0 {
            alone.removeAll()
            alone.add(time)
        }
    }
}
