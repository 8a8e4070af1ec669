/// Decides, for one receiver, when a picture is taken, encoded and sent: `(event, now) -> decision`, without threads, clocks
/// or pictures, so that millions of frames can be simulated. ``FrameSender`` drives one for each receiver.
///
/// Pictures wait in a slot: one, or with `deadline` those that are young enough. The first is taken, to be encoded, when an encoder is
/// free and a frame more may be under way: fewer than the window, and the receiver has granted credit. It is taken a little
/// earlier where the acknowledgement that makes room is about to come, by as much as encoding takes; it is sent when ``maySend``.
public struct FlowControl: Sendable {
    /// What happens to pictures that come too fast.
    public let policy: DeliveryPolicy
    /// How many pictures may be taken and not sent: encoders that work at once.
    public let encoders: Int
    /// How many frames may be sent and not acknowledged, now.
    public private(set) var window: Int
    /// The highest number that the receiver takes.
    public internal(set) var creditThrough: UInt64 = 0
    /// The number of the last frame sent on this connection; 0 before the first.
    public internal(set) var sentThrough: UInt64 = 0
    /// The number of the last frame acknowledged on this connection; 0 before the first.
    public internal(set) var acknowledgedThrough: UInt64 = 0
    /// Frames of the connection before that are to be sent again, before anything else.
    public internal(set) var awaitingResend = 0
    /// When to call with ``Event/tick``, unless something else happens first; nil = nothing depends on the time.
    public internal(set) var wakeAt: MonotonicTime?
    /// What became of the pictures so far, times not included.
    public internal(set) var counts = SenderStatistics()

    /// When the pictures in the slot were captured, oldest first.
    var waiting: [(captured: MonotonicTime, leftOut: UInt32)] = []
    /// Pictures left out since the last that stands in the slot: skipped before the next one, not before that.
    private var leftOut: UInt32 = 0
    /// For each picture that was taken and not sent, oldest first: pictures dropped before it.
    var taken: [UInt32] = []
    var skippedSinceLast: UInt32 = 0
    var isConnected = false
    var isPaused = false
    var hasEnded = false
    /// The frames under way, oldest first.
    var flights: [Flight] = []
    var prediction = AcknowledgementPrediction()
    /// Sets ``window``, unless that is fixed.
    var adaptive: AdaptiveWindow?
    /// Sets quality, scale and rate, unless they are fixed.
    var quality: QualityControl?
    private var offers: UInt64 = 0

    /// Pictures that may wait under `deadline`.
    static var mostWaiting: Int { 64 }

    /// - Parameters:
    ///   - policy: What happens to pictures that come too fast.
    ///   - window: How many frames may be sent and not acknowledged.
    ///   - encoders: How many pictures may be encoded at once, at least 1.
    ///   - quality: What quality, scale and rate may be chosen from; nil = they are not chosen here.
    /// - Throws: `invalidArgument` for a window or a number of encoders below 1, or a range of qualities outside 1...100.
    public init(
        policy: DeliveryPolicy, window: SendWindow, encoders: Int = 1, quality: AdaptiveQuality? = nil
    ) throws(FrameStreamingError) {
        switch window.value {
        case .fixed(let frames):
            guard frames >= 1 else {
                throw FrameStreamingError(.invalidArgument, "a window of \(frames) sends nothing: 1 or more frames")
            }
            self.window = frames
        case .adaptive(let target):
            adaptive = AdaptiveWindow(latencyTarget: target)
            self.window = 1
        }
        guard encoders >= 1 else {
            throw FrameStreamingError(.invalidArgument, "\(encoders) encoders encode nothing: 1 or more")
        }
        self.policy = policy
        self.encoders = encoders
        if let quality {
            guard (1...100).contains(quality.range.lowerBound), quality.range.upperBound <= 100 else {
                throw FrameStreamingError(
                    .invalidArgument, "qualities from \(quality.range) cannot be: 1 (smallest) to 100 (best)")
            }
            self.quality = QualityControl(
                quality: quality.range, allowsScale: quality.allowsScale, allowsRate: quality.allowsRate)
        }
    }

    /// As a sender's options have it.
    init(_ options: SenderOptions) throws(FrameStreamingError) {
        try self.init(
            policy: options.policy, window: options.window, encoders: options.encoders, quality: options.adaptiveQuality
        )
    }

    /// What pictures are to be encoded with; nil = it is not chosen here.
    public var encodeSettings: (quality: Int, scale: PictureScale)? {
        quality.map { ($0.settings.quality, $0.settings.scale) }
    }

    /// Frames that were sent on this connection and not acknowledged.
    public var underWay: Int { Int(sentThrough - acknowledgedThrough) }

    /// Whether the slot takes a picture without losing another.
    public var hasRoom: Bool { waiting.isEmpty && !hasEnded }

    /// Whether a picture that is offered now goes at once.
    public var wouldTake: Bool {
        isConnected && !isPaused && !hasEnded && waiting.isEmpty && taken.count < encoders
            && underWay + taken.count < limit
    }

    /// Whether a frame may be sent now, with the number ``nextSequence``.
    public var maySend: Bool { isConnected && !hasEnded && underWay < limit }

    /// The number of the next frame.
    public var nextSequence: UInt64 { sentThrough + 1 }

    /// Pictures that were dropped before the first of those that were taken.
    public var nextSkipped: UInt32 { taken.first ?? 0 }

    /// Whether nothing waits, is being encoded, or is under way.
    public var isDrained: Bool {
        hasEnded || (waiting.isEmpty && taken.isEmpty && underWay == 0 && awaitingResend == 0)
    }

    /// How many frames may be under way.
    var limit: Int { Int(min(UInt64(window), creditThrough - acknowledgedThrough)) }

    /// Takes note of an event.
    ///
    /// - Throws: `protocolViolation` where the receiver acknowledges what it cannot: out of order, not sent, or with credit that
    ///   falls. The connection must end.
    public mutating func handle(_ event: Event, at now: MonotonicTime) throws(FrameStreamingError) -> Decision {
        var decision = Decision()
        switch event {
        case .connected(let credit, let consumed): connect(credit, consumed)
        case .disconnected: disconnect()
        case .offered(let captured): offer(captured, at: now, &decision)
        case .encoded(let nanoseconds, let bytes, let settings):
            prediction.encoded(nanoseconds)
            quality?.encoded(bytes: bytes, quality: settings.quality, scale: settings.scale, at: now)
        case .sent(let bytes):
            taken.removeFirst()
            counts.sent += 1
            noteSent(bytes, at: now)
        case .resent(let bytes):
            awaitingResend -= 1
            counts.resent += 1
            noteSent(bytes, at: now)
        case .failed:
            counts.failed += 1
            passOn(skipped: taken.removeFirst().addingClamped(1))
        case .acknowledged(let acknowledgement, let roundTrip):
            decision.ackTime = try acknowledge(acknowledgement, roundTrip, at: now)
        case .paused: isPaused = true
        case .resumed: isPaused = false
        case .qualityWanted(let wanted): quality?.limit(to: wanted)
        case .tick: break
        case .abandoned:
            counts.produced += 1
            counts.dropped.disconnected += 1
        case .ended: end()
        }
        if let adaptive { window = adaptive.frames }
        take(at: now, &decision)
        return decision
    }

    private mutating func offer(_ captured: MonotonicTime, at now: MonotonicTime, _ decision: inout Decision) {
        counts.produced += 1
        if hasEnded {
            counts.dropped.disconnected += 1
            return
        }
        quality?.offered(at: now)
        offers += 1
        if let quality, offers % UInt64(quality.settings.keepOneIn) != 0 {
            counts.dropped.rate += 1
            leftOut = leftOut.addingClamped(1)
            decision.leavesOut = true
            return
        }
        adaptive?.offered(at: now)
        waiting.append((captured, leftOut))
        leftOut = 0
        if waiting.count > (policy.isDeadline ? Self.mostWaiting : 1) {
            skipBeforeNext(waiting.removeFirst().leftOut)
            counts.dropped.replaced += 1
            decision.drops += 1
        }
    }

    private mutating func noteSent(_ bytes: Int, at now: MonotonicTime) {
        let others = underWay
        sentThrough += 1
        var flight = Flight(sequence: sentThrough, bytes: bytes, sent: now, ahead: others)
        adaptive?.sent(&flight, oldest: flights.first)
        counts.bytes += bytes
        flights.append(flight)
        if counts.firstSend == nil { counts.firstSend = now }
    }

    /// Pictures that are never sent are skipped before the next that is.
    mutating func passOn(skipped: UInt32) {
        if taken.isEmpty {
            skippedSinceLast = skippedSinceLast.addingClamped(skipped)
        } else {
            taken[0] = taken[0].addingClamped(skipped)
        }
    }

    /// A picture with so many left out before it is never sent. A pause may last for years: the count stops at the largest that the wire has.
    mutating func skipBeforeNext(_ leftOutBefore: UInt32) {
        skippedSinceLast = skippedSinceLast.addingClamped(1).addingClamped(leftOutBefore)
    }

    private mutating func acknowledge(
        _ acknowledgement: Acknowledgement, _ roundTrip: Int64?, at now: MonotonicTime
    ) throws(FrameStreamingError) -> Int64 {
        guard acknowledgement.sequence == acknowledgedThrough + 1, acknowledgement.sequence <= sentThrough else {
            throw FrameStreamingError(
                .protocolViolation,
                "the receiver acknowledged frame \(acknowledgement.sequence), but \(acknowledgedThrough + 1) is next of \(sentThrough) sent"
            )
        }
        guard acknowledgement.creditThrough >= creditThrough else {
            throw FrameStreamingError(
                .protocolViolation,
                "the receiver's credit fell from \(creditThrough) to \(acknowledgement.creditThrough)")
        }
        creditThrough = acknowledgement.creditThrough
        acknowledgedThrough += 1
        switch acknowledgement.outcome {
        case .consumed, .skipped: counts.acknowledged += 1
        default: counts.failed += 1
        }
        counts.lastAcknowledgement = now
        let flight = flights.removeFirst()
        let time = now.nanoseconds - flight.sent.nanoseconds
        prediction.acknowledged(after: time)
        adaptive?.acknowledged(acknowledgement, of: flight, next: flights.first, roundTrip: roundTrip, at: now)
        quality?.acknowledged(acknowledgement, bytes: flight.bytes, sentAt: flight.sent, at: now)
        return time
    }
}
