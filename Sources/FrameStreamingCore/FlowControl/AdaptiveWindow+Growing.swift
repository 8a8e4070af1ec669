/// Trials of a larger window, and the return of one that is not needed.
extension AdaptiveWindow {
    mutating func startTrial(next: Flight?, at now: Int64) {
        if case .armed = trial, waits.value < Self.worthATrial {
            // No picture used it.
            trial = .none
            frames = settled
        }
        guard case .none = trial, undo == nil, unconfirmed == nil, settled < Self.most,
            cycle.count >= max(2, settled / 4),
            waits.value >= Self.worthATrial, now >= holdOff.until
        else { return }
        // The regular frame is sent first, and the extra one with the picture after it. A
        // large gap to the next acknowledgement gives it a large head start; in each round
        // trip one gap is at least the average.
        if let next, next.sent.nanoseconds + typical.value - now < typical.value * 4 / Int64(5 * settled) { return }
        guard headroom.allowsTrial(from: settled, ackTime: typical.value, at: now) else { return }
        trial = .armed
        frames = settled + 1
    }

    /// Estimates, from frames that were sent alone, how much of the time
    /// neither link nor receiver works.
    mutating func noteHeadroom(
        _ flight: Flight, _ time: Int64, _ word: Acknowledgement, _ roundTrip: Int64?, opened: Int64, at now: Int64
    ) {
        guard let roundTrip, word.arrivalTime != nil, word.consumedTime != nil else {
            headroom = Headroom()
            return
        }
        let wasSmall = headroom.isSmall(for: settled)
        if flight.ahead == 0 {
            headroom.add(ofOne: time, roundTrip: roundTrip, receiver: word.receiverTime, cycle: now - opened)
        } else if alone.count > 0 {
            headroom.add(ofOne: alone.value, roundTrip: roundTrip, cycle: now - opened, window: settled)
        }
        if wasSmall, !headroom.isSmall(for: settled) { hopefulSince = now }
    }

    /// How much earlier than without the trial an extra frame must be sent for its
    /// acknowledgement to be conclusive.
    var tellingHeadStart: Int64 { typical.value / Int64(2 * settled + 2) }

    /// Judges the trial when the extra frame was acknowledged: how
    /// much of its head start was gained?
    mutating func judge(_ flight: Flight, _ time: Int64, previous: Int64, receiver: Int64, at now: Int64) {
        guard case .flying(_, _, let referenceTime) = trial, let referenceTime else { return }
        trial = .none
        let early = referenceTime - flight.sent.nanoseconds
        // A difference in size counts only as far as the link's time for the frame can explain it.
        let perByte = min(
            Double(max(0, now - previous - receiver)) / Double(max(1, flight.bytes)),
            Double(typical.value) / Double(max(1, bytes.value)))
        let usual = Double(typical.value) + perByte * Double(Int64(flight.bytes) - bytes.value)
        let waited = Double(time) - usual
        guard early >= tellingHeadStart / 2, waited < 2 * Double(early) + Double(max(target, typical.value / 4)) else {
            // The frame was sent too late to be conclusive, or is later
            // than any queue explains (a stall).
            holdOff.trialWasInconclusive(ackTime: typical.value, at: now)
            return
        }
        guard waited <= 0.5 * Double(early) else {
            holdOff.trialFailed(ackTime: typical.value, bytes: bytes.value, at: now)
            return
        }
        holdOff.trialSucceeded()
        unconfirmed = (window: settled, interval: cycle.value / Int64(settled), sentAfter: lastSent)
        // The time between the two acknowledgements is at least the bottleneck's for one frame, so
        // as many frames as fit into an ack time are not too many. The window still grows by half
        // at most, and only if every picture has to wait.
        let fitting = Int(Double(typical.value) / Double(max(1, now - previous)) + 0.5)
        let more = waits.value >= 90 ? settled + settled / 2 : settled + 1
        settled = min(Self.most, max(settled + 1, min(more, fitting), min(2 * settled, neededAtLeast)))
        hopefulSince = now
        frames = settled
        cycle.removeAll()
    }

    /// How many pictures the source makes, or the bottleneck takes, within one ack
    /// time; 0 if unknown. One large step to this number is as safe as two small
    /// ones, and faster over a long path.
    private var neededAtLeast: Int {
        guard waits.value >= 50, pictures.count > 0,
            let bottleneck = headroom.bottleneck(for: settled, cycle: cycle.value)
        else { return 0 }
        return Int(cycle.value / max(1, bottleneck, pictures.value))
    }

    /// Takes back a larger window that did not raise the rate.
    mutating func confirm(at now: Int64) {
        guard let before = unconfirmed, cycle.count >= max(3, settled) else { return }
        let interval = Double(cycle.value) / Double(settled) / Double(max(1, before.interval))
        let hoped = 1 - Double(before.window) / Double(settled)
        if interval <= 1 - 0.8 * hoped {
            unconfirmed = nil
        } else if cycle.count >= max(6, 2 * settled) {
            unconfirmed = nil
            guard interval > 1 - 0.4 * hoped else { return }
            settled = before.window
            frames = settled
            cycle.removeAll()
            holdOff.trialFailed(ackTime: typical.value, bytes: bytes.value, at: now)
        }
    }

    /// Gives back the unused part of the window, which would become a queue on a slower link.
    mutating func giveBackUnused(at now: Int64) {
        if peakSince == .min { peakSince = now }
        guard now - peakSince >= Self.disuse else { return }
        if lastLimited < peakSince, peak < settled {
            settled = max(1, peak)
            frames = settled
            trial = .none
            unconfirmed = nil
            cycle.removeAll()
        }
        peak = 1
        peakSince = now
    }
}
