/// The frames of one receiver, from the source's offer to the receiver's
/// acknowledgement, and their counts.
///
/// It owns the only queue, the only list of frames in flight, and the flow control.
/// ``ReceiverSession`` decides whether there is a connection, and how all this ends. At every
/// moment `produced == acknowledged + dropped + failed + lost + count of the queue + count in
/// flight`.
struct FramePipeline<Frame: QueueableFrame>: Sendable {
    /// A frame in flight.
    struct SentFrame: Sendable {
        let flight: Flight
        /// The entry that is sent again if the connection breaks; nil
        /// = the frame counts as lost then.
        let entry: FrameQueue<Frame>.Entry?
    }

    private(set) var policy: DeliveryPolicy
    /// Whether a frame in flight is kept, to be sent again if the connection breaks.
    private(set) var mayResend: Bool
    private(set) var flow: FlowControl
    private(set) var queue: FrameQueue<Frame>
    private(set) var inFlight: [SentFrame] = []
    private(set) var counts = SenderStatistics()
    private(set) var stages = SenderStages()
    private(set) var progress = SessionProgress()
    /// What frames of an encoder with memory may depend on.
    private(set) var references = ReferenceChain()
    /// Whether the receiver has what the source's next frame may depend on, which came encoded.
    private var hasSourceReference = false
    /// Whether nothing more can be sent before the source's encoder makes a frame that stands alone, or
    /// the receiver asks for one.
    private(set) var awaitsKeyFrame = false

    /// - Parameter hasMemory: Whether the encoder has memory. It then gets one frame at a time.
    /// - Throws: `invalidArgument` for invalid options.
    init(_ options: SenderOptions, hasMemory: Bool = false) throws(FrameStreamingError) {
        policy = options.policy
        mayResend = Self.mayResend(options)
        queue = FrameQueue(hasMemory: hasMemory)
        flow = try FlowControl(Self.limited(options, hasMemory))
    }

    private static func limited(_ options: SenderOptions, _ hasMemory: Bool) -> SenderOptions {
        guard hasMemory else { return options }
        var limited = options
        limited.encoders = min(1, options.encoders)
        return limited
    }

    private static func mayResend(_ options: SenderOptions) -> Bool {
        options.policy == .reliable && options.reconnection != .never
    }

    /// Changes policy and window, before the first frame.
    mutating func change(_ options: SenderOptions) {
        policy = options.policy
        mayResend = Self.mayResend(options)
        flow.change(Self.limited(options, queue.hasMemory))
    }

    /// Frames that may wait under `deadline`.
    private static var mostWaiting: Int { 64 }

    // MARK: Questions
    // Inlined, as the questions of ``ReceiverSession``.

    /// Whether nothing is queued and nothing is in flight.
    @inline(__always)
    var isDrained: Bool { queue.isEmpty && inFlight.isEmpty }

    /// Whether the queue takes a frame without losing another.
    @inline(__always)
    var hasRoom: Bool { queue.firstWaiting == nil }

    /// Whether a frame that is offered now is sent, or taken for encoding, at once.
    @inline(__always)
    var wouldTake: Bool {
        let taken = queue.taken
        return hasRoom && taken < flow.encoders && inFlight.count + taken < flow.limit(inFlight: inFlight.count)
    }

    /// Whether a frame waits that only an event, and not the time, can release.
    @inline(__always)
    var mayRest: Bool { queue.firstWaiting != nil && flow.wakeAt == nil && flow.quality == nil }

    /// The counts of the frames so far, with the measured times.
    var statistics: SenderStatistics {
        var result = counts
        result.merge(stages.total)
        return result
    }

    /// Returns what was measured since the last call.
    mutating func takeStages() -> SenderStatistics { stages.takeInterval() }

    var isAccountedFor: Bool {
        let known = counts.acknowledged + counts.dropped.total + counts.failed + counts.lost
        return counts.produced == known + queue.count + inFlight.count && flow.sentThrough <= flow.creditThrough
    }

    // MARK: From the source

    mutating func offer(_ frame: Frame, at now: MonotonicTime) {
        counts.produced += 1
        if frame.hasDecodeWarnings { counts.decodeWarnings += 1 }
        guard flow.offered(at: now) else {
            counts.dropped.rate += 1
            queue.skipOne()
            return
        }
        queue.append(frame)
        guard let oldest = queue.firstWaiting, queue.count - oldest > (policy.isDeadline ? Self.mostWaiting : 1) else {
            return
        }
        replace(at: oldest)
    }

    /// Drops the frame that waits, because there is a newer one that is not offered yet.
    mutating func replaceWaiting() {
        if let index = queue.firstWaiting { replace(at: index) }
    }

    private mutating func replace(at index: Int) {
        queue.drop(at: index)
        counts.dropped.replaced += 1
    }

    /// Counts frames of the source that others replaced before they were offered.
    mutating func miss(_ count: UInt64) {
        counts.produced += Int(count)
        counts.dropped.replaced += Int(count)
        queue.skip(UInt32(truncatingIfNeeded: count))
        flow.missedOffers()
    }

    /// Counts a frame of the source that was too late.
    mutating func refuse() {
        counts.produced += 1
        counts.dropped.disconnected += 1
    }

    /// Drops frames that are too old for the policy.
    mutating func expire(at now: MonotonicTime) {
        guard case .deadline(let age) = policy.value else { return }
        counts.dropped.deadline += queue.dropWaiting(capturedBefore: now.advanced(by: .zero - age))
    }

    // MARK: Encoding

    /// Takes as many frames for encoding as may be taken now, and calls `encode` for those that need an
    /// encoder.
    mutating func take(at now: MonotonicTime, _ encode: (FrameQueue<Frame>.Entry, EncodingOrder) -> Void) {
        var taken = queue.taken
        flow.look(hasWaiting: !hasRoom, taken: taken, inFlight: inFlight.count, at: now)
        while let index = queue.firstWaiting,
            flow.mayTake(taken: taken, inFlight: inFlight.count, oldest: inFlight.first?.flight, at: now)
        {
            taken += 1
            switch queue.take(at: index) {
            case .mustBeEncoded(let entry): encode(entry, queue.hasMemory ? nextOrder(at: now) : EncodingOrder())
            case .isEncoded(let encoding): learn(encoding, at: now)
            }
        }
    }

    private mutating func nextOrder(at now: MonotonicTime) -> EncodingOrder {
        let standsAlone = references.take()
        return EncodingOrder(
            standsAlone: standsAlone, byteTarget: flow.byteTarget(standsAlone: standsAlone, at: now))
    }

    /// Forgets the next time to look, because no frame is taken now.
    mutating func rest() { flow.forgetWakeUp() }

    mutating func noteEncoding(
        _ ticket: UInt64, _ encoding: FrameEncoding, as result: Frame? = nil, at now: MonotonicTime
    ) {
        if queue.noteEncoding(ticket, encoding, as: result) { learn(encoding, at: now) }
    }

    private mutating func learn(_ encoding: FrameEncoding, at now: MonotonicTime) {
        guard case .success(let bytes, let nanoseconds, let settings?) = encoding else { return }
        flow.encoded(nanoseconds: nanoseconds, bytes: bytes, settings: settings, at: now)
    }

    // MARK: To the receiver

    /// Drops frames at the front that could not be encoded, or that depend on one that the receiver
    /// does not have, and returns how many left the front. One that an encoder with memory made waits to
    /// be encoded again, or is replaced. Throws if the settings or the pixel format are the reason of a
    /// failure, because the next frame would fail as well.
    mutating func dropUseless() throws(FrameStreamingError) -> Int {
        var count = 0
        while true {
            if case .failed(let error)? = queue.firstStage {
                if error.code == .unsupported || error.code == .invalidArgument { throw error }
                counts.failed += 1
                // Its encoder is not used any more.
                references.end()
            } else if let first = queue.entries.first, lacksReference(first) {
                counts.dropped.replaced += 1
                hasSourceReference = false
                awaitsKeyFrame = true
            } else if isOrphaned {
                queue.encodeFirstAgain()
                if policy == .latest, queue.count > 1 { replace(at: 0) }
                return count + 1
            } else {
                return count
            }
            queue.drop(at: 0)
            count += 1
        }
    }

    /// Whether the first entry came encoded, and depends on a frame that was dropped or did not decode.
    /// A source that waits for its receivers loses none.
    private func lacksReference(_ entry: FrameQueue<Frame>.Entry) -> Bool {
        guard case .ready = entry.stage, policy != .reliable else { return false }
        // In this order, because only the last question may cost a lock.
        guard !hasSourceReference || entry.skipped > 0, entry.frame.comesEncoded, entry.frame.original == nil else {
            return false
        }
        return entry.frame.dependsOnPrevious
    }

    /// Whether the first entry was encoded for a receiver that, as it turned out since, does not have
    /// the frame before it.
    private var isOrphaned: Bool {
        guard queue.hasMemory, references.state == .broken, case .ready? = queue.firstStage,
            let frame = queue.entries.first?.frame
        else { return false }
        return frame.original != nil && frame.dependsOnPrevious
    }

    /// The pixel format of the frame that is sent next; nil = there
    /// is none, or it is not encoded yet.
    var nextFormat: PixelFormat? { queue.firstFormat }

    /// Moves the first frame of the queue to those in flight, if it can be sent. It counts
    /// as in flight before its bytes are sent, because the acknowledgement may arrive
    /// before the transport's `send` returns.
    mutating func send(at now: MonotonicTime) -> (Frame, FrameInfo)? {
        guard flow.maySend(inFlight: inFlight.count), let stage = queue.firstStage else { return nil }
        let size: Int
        let encodeTime: Int64
        var wait: Int64?
        switch stage {
        case .encoding, .waiting, .failed: return nil
        case .unacknowledged(let bytes, let nanoseconds, let creditWait):
            (size, encodeTime, wait) = (bytes, nanoseconds, creditWait)
        case .ready(let bytes, let nanoseconds): (size, encodeTime) = (bytes, nanoseconds)
        }
        var entry = queue.removeFirst()
        let frame = entry.frame
        let creditWait = wait ?? max(0, now.nanoseconds - frame.offered.nanoseconds - encodeTime)
        var info = FrameInfo(sequence: flow.nextSequence, skipped: entry.skipped)
        info.encodeNanoseconds = encodeTime
        info.creditWaitNanoseconds = creditWait
        info.sendTime = now
        if entry.frame.original != nil {
            references.sent(info.sequence, dependsOnPrevious: frame.dependsOnPrevious)
        } else {
            hasSourceReference = true
            if !frame.dependsOnPrevious { awaitsKeyFrame = false }
        }
        if wait == nil, !entry.isEncodedAgain {
            counts.sent += 1
            stages.record(sent: info, captured: frame.captureTime, offered: frame.offered)
        } else {
            counts.resent += 1
        }
        counts.bytes += size
        counts.format = frame.sentFormat
        if counts.firstSend == nil { counts.firstSend = now }
        let flight = flow.sent(bytes: size, inFlight: inFlight.count, oldest: inFlight.first?.flight, at: now)
        if mayResend {
            entry.stage = .unacknowledged(bytes: size, encodeTime: encodeTime, creditWait: creditWait)
            inFlight.append(SentFrame(flight: flight, entry: entry))
        } else {
            inFlight.append(SentFrame(flight: flight, entry: nil))
        }
        return (frame, info)
    }

    /// Counts the frame that was handed to the connection last as failed, because the connection
    /// refused it.
    mutating func failLastSent() {
        if inFlight.popLast() != nil { counts.failed += 1 }
    }

    /// Notes the acknowledgement of a frame. Returns how many
    /// nanoseconds after its sending it arrived.
    ///
    /// - Throws: `protocolViolation` for an impossible acknowledgement: out of order, for a frame
    ///   that was not sent, or with credit that falls. The connection must end.
    mutating func acknowledge(
        _ word: Acknowledgement, roundTrip: Int64?, clock: ClockFilter.Estimate?, at now: MonotonicTime
    ) throws(FrameStreamingError) -> Int64 {
        guard let flight = inFlight.first?.flight, flight.sequence == word.sequence else {
            let next = flow.nextSequence &- UInt64(inFlight.count)
            throw FrameStreamingError(
                .protocolViolation,
                "the receiver acknowledged frame \(word.sequence), but \(next) is next of \(flow.sentThrough) sent")
        }
        let next = inFlight.count > 1 ? inFlight[1].flight : nil
        try flow.acknowledged(word, of: flight, next: next, roundTrip: roundTrip, at: now)
        inFlight.removeFirst()
        switch word.outcome {
        case .consumed, .skipped: counts.acknowledged += 1
        default:
            counts.failed += 1
            references.failed(word.sequence)
            hasSourceReference = false
        }
        counts.lastAcknowledgement = now
        progress.noteAcknowledgement()
        stages.record(acknowledged: word, sent: flight.sent, at: now, clock: clock)
        return now.nanoseconds &- flight.sent.nanoseconds
    }

    /// Notes that a frame waits outside the queue, until it would be sent at once.
    mutating func noteWaiting(at now: MonotonicTime) {
        flow.note(hasWaiting: true, taken: queue.taken, inFlight: inFlight.count, at: now)
    }

    /// Limits the quality to the one that the receiver asked for.
    mutating func limitQuality(to wanted: Int) { flow.limitQuality(to: wanted) }

    /// Has the next frame that is encoded stand alone, here or by the source's encoder.
    mutating func beginChain() {
        references.end()
        awaitsKeyFrame = true
    }

    // MARK: Connections

    /// Begins a connection, whose receiver reports how much of the session it consumed.
    mutating func connect(_ peer: Peer) {
        let known = progress.connect(
            consumed: peer.session == 0 ? 0 : peer.resumedFrom, underWay: queue.unacknowledged)
        queue.removeUnacknowledged(known)
        counts.acknowledged += known
        flow.connected(creditThrough: peer.initialCredit)
        references.end()
        hasSourceReference = false
    }

    /// Ends a connection after which another may follow: frames in flight
    /// are put back, or counted as lost.
    mutating func disconnect() {
        if mayResend {
            queue.putBack(inFlight.compactMap(\.entry))
        } else {
            counts.lost += inFlight.count
            counts.dropped.disconnected += queue.dropTaken()
        }
        inFlight.removeAll(keepingCapacity: true)
    }

    /// Counts and releases the frames in the queue, because nothing more is sent.
    mutating func dropQueue() {
        counts.lost += queue.unacknowledged
        counts.dropped.disconnected += queue.count - queue.unacknowledged
        queue.removeAll()
    }

    /// Ends everything: nothing is sent or acknowledged any more.
    mutating func end() {
        dropQueue()
        counts.lost += inFlight.count
        inFlight = []
        stages.compact()
    }
}
