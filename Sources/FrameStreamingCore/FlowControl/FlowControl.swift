/// Decides how many frames may be in flight to one receiver, and what quality they are encoded
/// with.
///
/// A value without frames, threads or a clock: ``ReceiverSession`` owns one, tells it what happened
/// and asks it before a frame is taken for encoding and before one is sent. It keeps no list: what
/// it must know of a frame in flight is in that frame's ``Flight``.
struct FlowControl: Sendable {
    /// What happens to frames that are made faster than they can be sent.
    private(set) var policy: DeliveryPolicy
    /// How many frames may be taken from the queue and not sent yet: the number of encoders.
    let encoders: Int
    /// The highest frame number that the receiver has granted on this connection.
    private(set) var creditThrough: UInt64 = 0
    /// The number of the last frame sent on this connection; 0 before the first.
    private(set) var sentThrough: UInt64 = 0
    /// When a frame may be taken without another event; nil = nothing depends on the time.
    private(set) var wakeAt: MonotonicTime?
    /// The quality control; nil without adaptive quality.
    private(set) var quality: QualityControl?
    /// The bit rate of an encoder with memory; nil without one.
    private(set) var bitRate: BitRateControl?

    private var fixedWindow = 1
    private var adaptive: AdaptiveWindow?
    private var prediction = AcknowledgementPrediction()
    private var offers: UInt64 = 0

    /// - Throws: `invalidArgument` for a window or a number of encoders below 1, a range of
    ///   qualities outside 1...100, or a bit rate out of range.
    init(_ options: SenderOptions) throws(FrameStreamingError) {
        guard options.encoders >= 1 else {
            throw FrameStreamingError(
                .invalidArgument, "the number of encoders must be 1 or more, not \(options.encoders)")
        }
        if case .fixed(let frames) = options.window.value, frames < 1 {
            throw FrameStreamingError(.invalidArgument, "the window must be 1 frame or more, not \(frames)")
        }
        policy = options.policy
        encoders = options.encoders
        setWindow(options.window)
        if let wanted = options.adaptiveQuality {
            guard wanted.range.lowerBound >= 1, wanted.range.upperBound <= 100 else {
                throw FrameStreamingError(
                    .invalidArgument, "adaptive qualities must be within 1 to 100, not \(wanted.range)")
            }
            quality = QualityControl(
                quality: wanted.range, allowsScale: wanted.allowsScale, allowsRate: wanted.allowsRate)
        }
        if let wanted = options.bitRate {
            try wanted.check()
            bitRate = BitRateControl(wanted)
        }
    }

    private mutating func setWindow(_ window: SendWindow) {
        switch window.value {
        case .fixed(let frames): (fixedWindow, adaptive) = (frames, nil)
        case .adaptive(let target): adaptive = AdaptiveWindow(latencyTarget: target)
        }
    }

    // MARK: Questions
    // Inlined, as the questions of ``ReceiverSession``.

    /// How many frames this side allows in flight now.
    @inline(__always)
    var window: Int { adaptive?.frames ?? fixedWindow }

    /// The settings for encoding; nil = they are not chosen here.
    @inline(__always)
    var encodeSettings: (quality: Int, scale: PictureScale)? {
        quality.map { ($0.settings.quality, $0.settings.scale) }
    }

    /// How many frames may be in flight: the window, or the receiver's credit if that is less.
    @inline(__always)
    func limit(inFlight: Int) -> Int {
        let acknowledgedThrough = sentThrough - UInt64(inFlight)
        return Int(min(UInt64(window), creditThrough - acknowledgedThrough))
    }

    /// Whether one more frame may be sent now.
    @inline(__always)
    func maySend(inFlight: Int) -> Bool { inFlight < limit(inFlight: inFlight) }

    /// The number of the next frame.
    @inline(__always)
    var nextSequence: UInt64 { sentThrough + 1 }

    /// Whether the first frame that waits may be taken for encoding now. If only
    /// time is missing, ``wakeAt`` is set.
    ///
    /// - Parameters:
    ///   - taken: Frames that were taken and not sent yet.
    ///   - oldest: The frame in flight that is acknowledged next.
    mutating func mayTake(taken: Int, inFlight: Int, oldest: Flight?, at now: MonotonicTime) -> Bool {
        guard taken < encoders else { return false }
        // No newer frame replaces this one: encoding it now makes nothing older, and
        // it is ready when credit arrives.
        if policy == .reliable { return true }
        let position = inFlight + taken
        let limit = limit(inFlight: inFlight)
        if position < limit { return true }
        // A frame must not be encoded and then grow old, so it is taken only if the acknowledgement
        // that makes room is about to arrive.
        guard position == limit, let oldest,
            let (from, through) = prediction.timeToEncode(forAcknowledgementOf: oldest.sent)
        else { return false }
        if now < from {
            wakeAt = from
            return false
        }
        return now <= through
    }

    /// The bytes that the next frame of an encoder with memory should have at most; nil = as many as
    /// its quality needs.
    mutating func byteTarget(standsAlone: Bool, at now: MonotonicTime) -> Int? {
        bitRate?.target(standsAlone: standsAlone, at: now)
    }

    /// The bits a second at which frames aim; nil = as many as their quality needs.
    func targetBitRate(at now: MonotonicTime) -> Int? {
        bitRate?.bytesPerSecond(at: now).map { Int(min(8 * $0, Double(BitRate.largest))) }
    }

    // MARK: Events

    /// Changes policy and window, before the first frame.
    mutating func change(_ options: SenderOptions) {
        policy = options.policy
        setWindow(options.window)
    }

    /// Begins a connection: forgets what was learnt about the old link, and
    /// keeps what was learnt about frames.
    mutating func connected(creditThrough: UInt64) {
        self.creditThrough = creditThrough
        sentThrough = 0
        prediction.reset()
        adaptive?.reset()
        quality?.reset()
        bitRate?.reset()
    }

    /// Notes that the source gave a frame. Returns false if it must be
    /// dropped to keep the link's rate.
    mutating func offered(at now: MonotonicTime) -> Bool {
        quality?.offered(at: now)
        bitRate?.offered(at: now)
        offers &+= 1
        if let quality, offers % UInt64(quality.settings.keepOneIn) != 0 { return false }
        adaptive?.offered(at: now)
        return true
    }

    /// Notes that the source gave frames that were not offered here, so the
    /// time to the next one says nothing.
    mutating func missedOffers() { adaptive?.missedOffers() }

    /// Notes that an event was handled: forgets when to wake up, and notes whether a
    /// frame waits only for the window.
    mutating func look(hasWaiting: Bool, taken: Int, inFlight: Int, at now: MonotonicTime) {
        wakeAt = nil
        note(hasWaiting: hasWaiting, taken: taken, inFlight: inFlight, at: now)
    }

    /// Notes whether a frame waits only for the window.
    mutating func note(hasWaiting: Bool, taken: Int, inFlight: Int, at now: MonotonicTime) {
        guard adaptive != nil || quality != nil || bitRate != nil else { return }
        guard isLimitedByWindow(hasWaiting: hasWaiting, taken: taken, inFlight: inFlight) else { return }
        adaptive?.limited(at: now)
        bitRate?.limited(at: now)
        // A larger window is tried first, as long as it may help.
        if adaptive?.mayGrow(at: now) != true { quality?.limited(at: now) }
    }

    @inline(__always)
    private func isLimitedByWindow(hasWaiting: Bool, taken: Int, inFlight: Int) -> Bool {
        guard limit(inFlight: inFlight) == window, inFlight + taken >= window else { return false }
        if policy == .reliable { return taken > 0 && inFlight >= window }
        return hasWaiting && taken < encoders
    }

    /// Forgets when to wake up, because there is no connection.
    mutating func forgetWakeUp() { wakeAt = nil }

    /// Notes that a frame was encoded with these settings, and its time in the codec.
    mutating func encoded(nanoseconds: Int64, bytes: Int, settings: EncodeSettings, at now: MonotonicTime) {
        prediction.encoded(nanoseconds)
        quality?.encoded(bytes: bytes, quality: settings.quality, scale: settings.scale, at: now)
        bitRate?.encoded(bytes: bytes)
    }

    /// Notes that a frame is handed to the connection, with the number ``nextSequence``.
    mutating func sent(bytes: Int, inFlight: Int, oldest: Flight?, at now: MonotonicTime) -> Flight {
        sentThrough += 1
        var flight = Flight(sequence: sentThrough, bytes: bytes, sent: now, ahead: inFlight)
        adaptive?.sent(&flight, oldest: oldest)
        return flight
    }

    /// Notes the acknowledgement of the oldest frame in flight.
    ///
    /// - Parameters:
    ///   - next: The frame in flight behind it.
    ///   - roundTrip: The present time of a small message and its answer, in nanoseconds; nil = not
    ///     known.
    /// - Throws: `protocolViolation` if the credit falls. The connection must end.
    mutating func acknowledged(
        _ word: Acknowledgement, of flight: Flight, next: Flight?, roundTrip: Int64?, at now: MonotonicTime
    ) throws(FrameStreamingError) {
        guard word.creditThrough >= creditThrough else {
            throw FrameStreamingError(
                .protocolViolation, "the receiver's credit fell from \(creditThrough) to \(word.creditThrough)")
        }
        creditThrough = word.creditThrough
        prediction.acknowledged(after: now.nanoseconds &- flight.sent.nanoseconds)
        adaptive?.acknowledged(word, of: flight, next: next, roundTrip: roundTrip, at: now)
        quality?.acknowledged(word, bytes: flight.bytes, sentAt: flight.sent, at: now)
        bitRate?.acknowledged(
            word, bytes: flight.bytes, sentAt: flight.sent, roundTrip: roundTrip,
            mayGrow: adaptive?.mayGrow(at: now) ?? false, at: now)
    }

    /// Limits an adaptive quality to the one that the receiver asked for.
    mutating func limitQuality(to wanted: Int) { quality?.limit(to: min(max(wanted, 1), 100)) }
}
