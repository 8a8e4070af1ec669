/// Trials of a larger window, and what becomes of one that is not needed.
extension AdaptiveWindow {
    mutating func startTrial(next: Flight?, at now: Int64) {
        if case .armed = trial, waits.value < Self.worthATrial {
            // No picture made use of it.
            trial = .none
            frames = settled
        }
        guard case .none = trial, undo == nil, unconfirmed == nil, settled < Self.most,
            cycle.count >= max(2, settled / 4),
            waits.value >= Self.worthATrial, now >= holdOff.until
        else { return }
        // The regular frame goes first, and the extra one with the picture after it. It gets the largest head start where the gap to the
        // next acknowledgement is large; in each round trip one is at least the average.
        if let next, next.sent.nanoseconds + typical.value - now < typical.value * 4 / Int64(5 * settled) { return }
        guard headroom.allowsTrial(from: settled, ackTime: typical.value, at: now) else { return }
        trial = .armed
        frames = settled + 1
    }

    /// How much of the time between two full windows neither link nor receiver was at work, by what a frame takes that is sent alone.
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

    /// By how much earlier than without the trial an extra frame must be sent, so that its acknowledgement tells something.
    var tellingHeadStart: Int64 { typical.value / Int64(2 * settled + 2) }

    /// The extra frame was acknowledged: by how much of its early start did it come early?
    mutating func judge(_ flight: Flight, _ time: Int64, previous: Int64, receiver: Int64, at now: Int64) {
        guard case .flying(_, _, let referenceTime) = trial, let referenceTime else { return }
        trial = .none
        let early = referenceTime - flight.sent.nanoseconds
        // Of the frame's size in relation to the others, the part counts that the link's time for it can explain.
        let perByte = min(
            Double(max(0, now - previous - receiver)) / Double(max(1, flight.bytes)),
            Double(typical.value) / Double(max(1, bytes.value)))
        let usual = Double(typical.value) + perByte * Double(Int64(flight.bytes) - bytes.value)
        let waited = Double(time) - usual
        guard early >= tellingHeadStart / 2, waited < 2 * Double(early) + Double(max(target, typical.value / 4)) else {
            // Sent too late to tell, or later than any queue explains: a stall.
            holdOff.trialWasInconclusive(ackTime: typical.value, at: now)
            return
        }
        guard waited <= 0.5 * Double(early) else {
            holdOff.trialFailed(ackTime: typical.value, bytes: bytes.value, at: now)
            return
        }
        holdOff.trialSucceeded()
        unconfirmed = (window: settled, interval: cycle.value / Int64(settled), sentAfter: lastSent)
        // The time between the two is the bottleneck's for one frame, or more. As many as fit into the time of one are not too many;
        // still no more than half as many again at once, and that only where every picture has to wait.
        let fitting = Int(Double(typical.value) / Double(max(1, now - previous)) + 0.5)
        let more = waits.value >= 90 ? settled + settled / 2 : settled + 1
        settled = min(Self.most, max(settled + 1, min(more, fitting), min(2 * settled, neededAtLeast)))
        hopefulSince = now
        frames = settled
        cycle.removeAll()
    }

    /// As many frames as the source has pictures in the time of one, or as the bottleneck can take in it, where that is known: of two
    /// small steps and one large the large one is as safe, and over a long way each takes its time. 0 where it is not known.
    private var neededAtLeast: Int {
        guard waits.value >= 50, pictures.count > 0,
            let bottleneck = headroom.bottleneck(for: settled, cycle: cycle.value)
        else { return 0 }
        return Int(cycle.value / max(1, bottleneck, pictures.value))
    }

    /// Takes a larger window back that did not raise the rate.
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

    /// A window larger than what is used would be a queue as soon as the link becomes slower.
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
