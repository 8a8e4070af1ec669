/// How many frames may be under way, found from the acknowledgements: as few as keep the link busy.
///
/// One frame under way is fresh on every link and wastes the round trip on a long one. More frames help only while the
/// bottleneck (link or consumer) would idle between two of them; beyond that each one more waits behind the others and makes all
/// older. So the window grows by trial. One extra frame is sent early: where the bottleneck was idle, its acknowledgement comes as much
/// earlier as it was sent earlier; where the bottleneck was busy, it comes no earlier at all, and the trial cost one frame its
/// freshness. What a trial let grow must then show in the delivered rate, or it is taken back. Where the round trip is known to leave
/// nothing to win there is no trial: ``Headroom``.
///
/// The window shrinks as soon as acknowledgements are late: later than a frame takes that was sent alone, by more than the target.
struct AdaptiveWindow: Sendable {
    /// The largest window. At 64 frames in a round trip the age of a frame is that of the light in the cable.
    static let most = 64

    /// How many frames may be under way now. One more than what is settled while a trial waits for its frame.
    var frames = 1
    /// What acknowledgements take now, smoothed, in nanoseconds; nil before the first.
    var ackTime: Int64? { typical.count > 0 ? typical.value : nil }

    /// Whether a larger window may still be what the link needs: it grew lately, or no trial has failed lately. Smaller pictures can
    /// wait until that is known, but not for long.
    func mayGrow(at now: MonotonicTime) -> Bool {
        if headroom.isSmall(for: settled) { return false }
        let hopefulSince = max(hopefulSince ?? now.nanoseconds, holdOff.failedUntil)
        return settled < Self.most && now.nanoseconds >= hopefulSince
            && now.nanoseconds - hopefulSince < max(Self.retry / 2, min(10 * typical.value, 2 * Self.retry))
    }

    /// How much later than that of a lone frame an acknowledgement may be, in nanoseconds.
    let target: Int64
    /// The window without a trial's extra frame.
    var settled = 1
    var lastSent: UInt64 = 0
    var lastAcknowledged: Int64?

    /// Ack time now, with whatever queue the window makes.
    var typical = RunningMean(weight: 8, fallsFast: true)
    /// Ack time of frames that were sent alone: what there is without a queue.
    var alone = RunningMean(weight: 8, fallsFast: true)
    var bytes = RunningMean(weight: 16)
    /// How late the last acknowledgements were, in comparison to a frame sent alone.
    var lateness = RecentValues()
    /// The time in which a full window goes round.
    var cycle = RunningMean(weight: 16, fallsFast: true)

    var trial = Trial.none
    /// The window before the last trial that succeeded, and the time between its frames, until the rate has confirmed it.
    var unconfirmed: (window: Int, interval: Int64, sentAfter: UInt64)?
    var holdOff = HoldOff()
    /// What a larger window could win at most, as far as that is known.
    var headroom = Headroom()
    /// When there was reason to try larger windows last.
    var hopefulSince: Int64?
    /// The window before it shrank for late acknowledgements; back to it if the first frame sent since is not late.
    var undo: (window: Int, sentAfter: UInt64)?

    /// The time between two of the source's pictures.
    var pictures = RunningMean(weight: 16)
    private var lastPicture: Int64?

    var isLimited = false
    /// For how many frames in a hundred pictures had to wait lately.
    var waits = RunningMean(weight: 16)
    var lastLimited = Int64.min
    var peak = 1
    var peakSince = Int64.min

    /// A picture that waits now and then, for a source is never quite even, is no reason for a larger window.
    static let worthATrial: Int64 = 25
    /// After a trial that said nothing.
    static let retry: Int64 = 1_000_000_000
    /// A window of which so long a part was not used is given back.
    static let disuse: Int64 = 5_000_000_000

    enum Trial {
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

    /// The source gave a picture that is to be sent, if it can.
    mutating func offered(at now: MonotonicTime) {
        if let lastPicture { pictures.add(now.nanoseconds - lastPicture) }
        lastPicture = now.nanoseconds
    }

    /// The source gave pictures that were not offered: when the last one came is not known.
    mutating func missedOffers() { lastPicture = nil }

    /// A frame is handed to the connection.
    ///
    /// - Parameters:
    ///   - flight: What is known of it; gets what ``acknowledged(_:of:next:roundTrip:at:)`` will want to know.
    ///   - oldest: The frame in flight that is acknowledged next.
    mutating func sent(_ flight: inout Flight, oldest: Flight?) {
        let now = flight.sent.nanoseconds
        let ahead = flight.ahead
        flight.waited = isLimited
        if case .armed = trial, ahead >= settled, let oldest {
            if oldest.sent.nanoseconds + typical.value - now >= tellingHeadStart {
                trial = .flying(extra: flight.sequence, reference: oldest.sequence, referenceTime: nil)
            } else {
                trial = .none
                holdOff.wait(until: now + 8 * typical.value)
            }
            frames = settled
        } else if isLimited, ahead == settled - 1 {
            flight.opened = lastAcknowledged
        }
        isLimited = false
        lastSent = flight.sequence
        peak = max(peak, ahead + 1)
    }

    /// A picture had to wait because the window was full: not for the receiver's credit, nor for the encoder.
    mutating func limited(at now: MonotonicTime) {
        isLimited = true
        lastLimited = now.nanoseconds
    }

    /// The receiver's word on the oldest frame under way.
    ///
    /// - Parameters:
    ///   - flight: What ``sent(_:oldest:)`` made of it.
    ///   - next: The frame in flight behind it.
    ///   - roundTrip: What a small message and its answer take, in nanoseconds; nil = not known.
    mutating func acknowledged(
        _ acknowledgement: Acknowledgement, of flight: Flight, next: Flight?, roundTrip: Int64? = nil,
        at now: MonotonicTime
    ) {
        let now = now.nanoseconds
        let time = max(1, now - flight.sent.nanoseconds)
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
            noteHeadroom(flight, time, acknowledgement, roundTrip, opened: opened, at: now)
            confirm(at: now)
        }
        // Four windows of frames without a late one and without a verdict: the source, not the window, is the limit now.
        if let unconfirmed, flight.sequence > unconfirmed.sentAfter + UInt64(4 * settled) { self.unconfirmed = nil }
        giveBackUnused(at: now)
        startTrial(next: next, at: now)
    }
}
