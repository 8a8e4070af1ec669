/// How many frames may be under way, found from the acknowledgements alone: as few as keep the link busy.
///
/// One frame under way is fresh on every link and wastes the round trip on a long one. More frames help only while the
/// bottleneck (link or consumer) would idle between two of them; beyond that each one more waits behind the others and makes all
/// older. So the window grows by trial. One extra frame is sent early: where the bottleneck was idle, its acknowledgement comes as much
/// earlier as it was sent earlier; where the bottleneck was busy, it comes no earlier at all, and the trial cost one frame its
/// freshness. What a trial let grow must then show in the delivered rate, or it is taken back.
///
/// The window shrinks as soon as acknowledgements are late: later than a frame takes that was sent alone, by more than the target.
struct AdaptiveWindow: Sendable {
    /// The largest window. At 64 frames in a round trip the age of a frame is that of the light in the cable.
    static let most = 64

    /// How many frames may be under way now. One more than what is settled while a trial waits for its frame.
    private(set) var frames = 1
    /// What acknowledgements take now, smoothed, in nanoseconds; nil before the first.
    var roundTrip: Int64? { typical.count > 0 ? typical.value : nil }

    /// Whether a larger window may still be what the link needs: it grew lately, or no trial has failed lately. Smaller pictures can
    /// wait until that is known, but not for long.
    func mayGrow(at now: MonotonicTime) -> Bool {
        let hopefulSince = max(hopefulSince ?? now.nanoseconds, holdOff.failedUntil)
        return settled < Self.most && now.nanoseconds >= hopefulSince
            && now.nanoseconds - hopefulSince < max(Self.retry / 2, min(10 * typical.value, 2 * Self.retry))
    }

    /// How much later than that of a lone frame an acknowledgement may be, in nanoseconds.
    private let target: Int64
    /// The window without a trial's extra frame.
    private var settled = 1
    /// The frames under way, oldest first.
    private var flights: [Flight] = []
    private var lastSent: UInt64 = 0
    private var lastAcknowledged: Int64?

    /// Ack time now, with whatever queue the window makes.
    private var typical = RunningMean(weight: 8, fallsFast: true)
    /// Ack time of frames that were sent alone: what there is without a queue.
    private var alone = RunningMean(weight: 8, fallsFast: true)
    private var bytes = RunningMean(weight: 16)
    /// How late the last acknowledgements were, in comparison to a frame sent alone.
    private var lateness = RecentValues()
    /// The time in which a full window goes round.
    private var cycle = RunningMean(weight: 16, fallsFast: true)

    private var trial = Trial.none
    /// The window before the last trial that succeeded, and the time between its frames, until the rate has confirmed it.
    private var unconfirmed: (window: Int, interval: Int64, sentAfter: UInt64)?
    private var holdOff = HoldOff()
    /// When there was reason to try larger windows last.
    private var hopefulSince: Int64?
    /// The window before it shrank for late acknowledgements; back to it if the first frame sent since is not late.
    private var undo: (window: Int, sentAfter: UInt64)?

    private var isLimited = false
    /// For how many frames in a hundred pictures had to wait lately.
    private var waits = RunningMean(weight: 16)
    private var lastLimited = Int64.min
    private var peak = 1
    private var peakSince = Int64.min

    /// A picture that waits now and then, for a source is never quite even, is no reason for a larger window.
    private static let worthATrial: Int64 = 25
    /// After a trial that said nothing.
    private static let retry: Int64 = 1_000_000_000
    /// A window of which so long a part was not used is given back.
    private static let disuse: Int64 = 5_000_000_000

    private struct Flight {
        var sequence: UInt64
        var bytes: Int
        var sent: Int64
        /// Frames under way when it was sent, without it.
        var ahead: Int
        /// The acknowledgement that let it go, where it had to wait for one.
        var opened: Int64?
        /// A picture had to wait before it.
        var waited: Bool
    }

    private enum Trial {
        case none
        /// The window is open by one more frame.
        case armed
        /// The extra frame is under way. Without the trial it would have been sent when `reference` was acknowledged.
        case flying(extra: UInt64, reference: UInt64, referenceTime: Int64?)
    }

    /// - Parameter latencyTarget: How much later than that of a frame sent alone an acknowledgement may be.
    init(latencyTarget: Duration) {
        target = max(0, latencyTarget.wholeNanoseconds)
    }

    /// The connection is a new one: nothing that was learnt holds.
    mutating func reset() { self = AdaptiveWindow(latencyTarget: .nanoseconds(target)) }

    /// A frame was handed to the connection, with `underWay` others not acknowledged.
    mutating func sent(_ sequence: UInt64, bytes: Int, underWay: Int, at now: MonotonicTime) {
        let now = now.nanoseconds
        var flight = Flight(sequence: sequence, bytes: bytes, sent: now, ahead: underWay, waited: isLimited)
        if case .armed = trial, underWay >= settled, let oldest = flights.first {
            if oldest.sent + typical.value - now >= tellingHeadStart {
                trial = .flying(extra: sequence, reference: oldest.sequence, referenceTime: nil)
            } else {
                trial = .none
                holdOff.wait(until: now + 8 * typical.value)
            }
            frames = settled
        } else if isLimited, underWay == settled - 1 {
            flight.opened = lastAcknowledged
        }
        isLimited = false
        lastSent = sequence
        flights.append(flight)
        peak = max(peak, underWay + 1)
    }

    /// A picture had to wait because the window was full: not for the receiver's credit, nor for the encoder.
    mutating func limited(at now: MonotonicTime) {
        isLimited = true
        lastLimited = now.nanoseconds
    }

    /// The receiver's word on the oldest frame under way.
    mutating func acknowledged(_ acknowledgement: Acknowledgement, at now: MonotonicTime) {
        guard let flight = flights.first, flight.sequence == acknowledgement.sequence else { return }
        flights.removeFirst()
        let now = now.nanoseconds
        let time = max(1, now - flight.sent)
        let previous = lastAcknowledged ?? now
        lastAcknowledged = now
        if case .flying(let extra, let reference, _) = trial {
            if flight.sequence == reference {
                trial = .flying(extra: extra, reference: reference, referenceTime: now)
            } else if flight.sequence == extra {
                judge(flight, time, previous: previous, receiver: acknowledgement.receiverTime, at: now)
                return
            }
        }
        typical.add(time)
        let isAnotherLink = holdOff.noticeChange(ackTime: typical.value, bytes: bytes.value)
        if isAnotherLink || hopefulSince == nil { hopefulSince = now }
        if flight.ahead == 0 { alone.add(time) }
        let lateness = time - expected(for: flight)
        self.lateness.add(lateness)
        bytes.add(Int64(flight.bytes))
        waits.add(flight.waited ? 100 : 0)
        undoOrForget(flight, time, lateness)
        if settled > 1 { shrinkIfLate(flight, time, lateness, at: now) }
        if let opened = flight.opened {
            cycle.add(now - opened)
            confirm(at: now)
        }
        // Four windows of frames without a late one and without a verdict: the source, not the window, is the limit now.
        if let unconfirmed, flight.sequence > unconfirmed.sentAfter + UInt64(4 * settled) { self.unconfirmed = nil }
        giveBackUnused(at: now)
        startTrial(at: now)
    }

    // MARK: Late acknowledgements

    /// Ack time of a frame of this size that finds the link idle. At most in proportion to its size, where it is larger than usual.
    private func expected(for flight: Flight) -> Int64 {
        guard flight.bytes > bytes.value, bytes.value > 0 else { return alone.value }
        let ratio = Double(flight.bytes) / Double(bytes.value)
        return Int64(Double(alone.value) * min(ratio, 16))
    }

    private mutating func shrinkIfLate(_ flight: Flight, _ time: Int64, _ late: Int64, at now: Int64) {
        // Everything lately came sooner than a lone frame once did: the path became shorter.
        if let latest = lateness.largest(8), latest < 0 {
            alone.shift(by: latest)
            lateness.removeAll()
            return
        }
        // Once for a window of frames: those under way are as late as this one.
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

    /// The first frame sent since the window shrank tells a hiccup, after which everything is as before, from a change.
    private mutating func undoOrForget(_ flight: Flight, _ time: Int64, _ late: Int64) {
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

    // MARK: Growing

    private mutating func startTrial(at now: Int64) {
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
        if let oldest = flights.first, oldest.sent + typical.value - now < typical.value * 4 / Int64(5 * settled) {
            return
        }
        trial = .armed
        frames = settled + 1
    }

    /// By how much earlier than without the trial an extra frame must be sent, so that its acknowledgement tells something.
    private var tellingHeadStart: Int64 { typical.value / Int64(2 * settled + 2) }

    /// The extra frame was acknowledged: by how much of its early start did it come early?
    private mutating func judge(_ flight: Flight, _ time: Int64, previous: Int64, receiver: Int64, at now: Int64) {
        guard case .flying(_, _, let referenceTime) = trial, let referenceTime else { return }
        trial = .none
        let early = referenceTime - flight.sent
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
        settled = min(Self.most, max(settled + 1, min(more, fitting)))
        hopefulSince = now
        frames = settled
        cycle.removeAll()
    }

    /// Takes a larger window back that did not raise the rate.
    private mutating func confirm(at now: Int64) {
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
    private mutating func giveBackUnused(at now: Int64) {
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
