/// Finds how many frames may be in flight, from their
/// acknowledgements: as few as keep the link busy.
///
/// One frame in flight is fresh on every link, but wastes the round trip on a long one. More frames
/// help only while the bottleneck (link or consumer) would idle between two of them; beyond that
/// each further one waits behind the others and makes all older. So the window grows by trials. One
/// extra frame is sent early. If the bottleneck was idle, its acknowledgement arrives earlier by
/// the same time. If the bottleneck was busy, it arrives no earlier, and the trial has made one
/// frame older. A larger window must then raise the delivered rate, or it is taken back. No trial
/// is made if the round trip leaves nothing to gain: ``Headroom``.
///
/// The window shrinks as soon as acknowledgements are late: later, by more than the target,
/// than that of a frame sent alone.
struct AdaptiveWindow: Sendable {
    /// The largest window. With 64 frames in a round trip, nearly all of a
    /// frame's age is the path's own delay.
    static let most = 64

    /// How many frames may be in flight now. One more than `settled`
    /// while a trial waits for its frame.
    var frames = 1
    /// The present ack time, smoothed, in nanoseconds; nil before the first acknowledgement.
    var ackTime: Int64? { typical.count > 0 ? typical.value : nil }

    /// Whether the link may need a larger window: it grew recently, or no trial has failed
    /// recently. Reducing the quality can wait until that is known, but not for long.
    func mayGrow(at now: MonotonicTime) -> Bool {
        if headroom.isSmall(for: settled) { return false }
        let hopefulSince = max(hopefulSince ?? now.nanoseconds, holdOff.failedUntil)
        return settled < Self.most && now.nanoseconds >= hopefulSince
            && now.nanoseconds - hopefulSince < max(Self.retry / 2, min(10 * typical.value, 2 * Self.retry))
    }

    /// How much later than a lone frame's an acknowledgement may arrive, in nanoseconds.
    let target: Int64
    /// The window without a trial's extra frame.
    var settled = 1
    var lastSent: UInt64 = 0
    var lastAcknowledged: Int64?

    /// The present ack time, including the queue that the window causes.
    var typical = RunningMean(weight: 8, fallsFast: true)
    /// The ack time of frames that were sent alone, without a queue.
    var alone = RunningMean(weight: 8, fallsFast: true)
    var bytes = RunningMean(weight: 16)
    /// How late the last acknowledgements were, in comparison to a frame sent alone.
    var lateness = RecentValues()
    /// The time in which a full window is acknowledged.
    var cycle = RunningMean(weight: 16, fallsFast: true)

    var trial = Trial.none
    /// The window before the last trial that succeeded, and the time between its frames,
    /// until the rate has confirmed it.
    var unconfirmed: (window: Int, interval: Int64, sentAfter: UInt64)?
    var holdOff = HoldOff()
    /// The most that a larger window could gain, if known.
    var headroom = Headroom()
    /// When there was last a reason to try a larger window.
    var hopefulSince: Int64?
    /// The window before late acknowledgements shrank it. It is restored if the first
    /// frame sent since then is not late.
    var undo: (window: Int, sentAfter: UInt64)?

    /// The time between two of the source's pictures.
    var pictures = RunningMean(weight: 16)
    private var lastPicture: Int64?

    var isLimited = false
    /// For how many of a hundred recent frames a picture had to wait.
    var waits = RunningMean(weight: 16)
    var lastLimited = Int64.min
    var peak = 1
    var peakSince = Int64.min

    /// From this many on a trial is worth it. No source is quite even, so a picture that
    /// waits now and then is no reason.
    static let worthATrial: Int64 = 25
    /// The wait after an inconclusive trial.
    static let retry: Int64 = 1_000_000_000
    /// After this long an unused part of the window is given back.
    static let disuse: Int64 = 5_000_000_000

    enum Trial {
        case none
        /// The window is open for one more frame.
        case armed
        /// The extra frame is in flight. Without the trial it would have been sent
        /// when `reference` was acknowledged.
        case flying(extra: UInt64, reference: UInt64, referenceTime: Int64?)
    }

    /// - Parameter latencyTarget: How much later than that of a lone
    ///   frame an acknowledgement may arrive.
    init(latencyTarget: Duration) {
        target = max(0, latencyTarget.wholeNanoseconds)
    }

    /// Forgets everything, because the connection is a new one.
    mutating func reset() { self = AdaptiveWindow(latencyTarget: .nanoseconds(target)) }

    /// Notes that the source gave a picture to send.
    mutating func offered(at now: MonotonicTime) {
        if let lastPicture { pictures.add(now.nanoseconds - lastPicture) }
        lastPicture = now.nanoseconds
    }

    /// Notes that the source gave pictures that were not offered, so the
    /// time of the last one is unknown.
    mutating func missedOffers() { lastPicture = nil }

    /// Notes that a frame is handed to the connection.
    ///
    /// - Parameters:
    ///   - flight: The frame; gets what ``acknowledged(_:of:next:roundTrip:at:)`` will need.
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

    /// Notes that a picture had to wait for the window, and not for credit or an encoder.
    mutating func limited(at now: MonotonicTime) {
        isLimited = true
        lastLimited = now.nanoseconds
    }

    /// Notes the acknowledgement of the oldest frame in flight.
    ///
    /// - Parameters:
    ///   - flight: The frame, as ``sent(_:oldest:)`` filled it.
    ///   - next: The frame in flight behind it.
    ///   - roundTrip: The time of a small message and its answer, in nanoseconds; nil = not known.
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
        // After four windows of frames without a late one and without a verdict, the source is
        // the limit now, and not the window.
        if let unconfirmed, flight.sequence > unconfirmed.sentAfter + UInt64(4 * settled) { self.unconfirmed = nil }
        giveBackUnused(at: now)
        startTrial(next: next, at: now)
    }
}
