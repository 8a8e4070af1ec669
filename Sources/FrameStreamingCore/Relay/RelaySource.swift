/// The frames of one of a relay's streams, from whoever sends it at the time.
///
/// A frame is taken when a receiver would be sent it at once, so the credit of the best receiver is
/// the sender's. While there is no such receiver a frame is taken now and then, so that none gets old
/// here, and a sender that ends does not wait for its last ones.
struct RelaySource: FrameSource {
    let stream: RelayStream
    let isLive = true
    /// The frame behind a report that the frames are back.
    private var held: Frame?
    /// The newest frame, which came while no receiver could be sent it.
    private var unseen: Frame?
    private var hasBegun = false
    private var isLost = false
    /// When the last frame was taken; nil = none so far.
    private var taken: MonotonicTime?

    /// The stream has ended, and its last frame was taken.
    private var hasEnded = false
    /// When a frame that stands alone was last asked for.
    private var asked: MonotonicTime?

    /// How often a frame that stands alone is asked for, while one is needed.
    private static let askEvery = Duration.milliseconds(500)
    /// How long a frame that no receiver can take stays here, while receivers are busy.
    private static let busyRest = Duration.milliseconds(200)
    /// The same while there are none.
    private static let idleRest = Duration.seconds(1)

    init(_ stream: RelayStream) { self.stream = stream }

    var goodbye: Goodbye? { stream.goodbye }

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        if let frame = held.take() { return .frame(frame) }
        if hasEnded { return nil }
        while true {
            guard let carrier = stream.carrier(until: deadline) else {
                if stream.isAbandoned() { return nil }
                throw .timedOut("a sender")
            }
            // One that has sent nothing since the last was lost may only give back what it gets from here.
            if isLost, stream.isAbandoned() { return nil }
            askForKeyFrame(carrier)
            let isWanted = try waitUntilDue(carrier, until: deadline)
            do throws(FrameStreamingError) {
                // Whoever wants a frame gets the one that is here, unless a newer one has come.
                let limit = isWanted && unseen != nil ? Deadline.now : deadline
                guard let event = try carrier.receiver.nextEvent(newest: true, until: limit) else {
                    // Another sender has taken its place.
                    if carrier.receiver.inbox.farewell != nil {
                        stream.leave(carrier)
                        continue
                    }
                    if let last = end(carrier, .complete("end of stream")) { return last }
                    continue
                }
                if let event = try take(event, from: carrier, isWanted: isWanted) { return event }
            } catch {
                switch error.code {
                case .timedOut:
                    guard isWanted, let frame = unseen.take() else { throw error }
                    return .frame(frame)
                case .peerFailed:
                    if let last = end(carrier, .failed(error.message)) { return last }
                default:
                    if let event = lose(carrier, error) { return event }
                }
            }
        }
    }

    /// Asks the sender for a frame that stands alone, for a receiver that joined, or missed one.
    private mutating func askForKeyFrame(_ carrier: RelayCarrier) {
        guard stream.sender.awaitsKeyFrame, asked.map({ $0.duration(to: .now) >= Self.askEvery }) ?? true else {
            return
        }
        asked = .now
        _ = carrier.receiver.inbox.ask(.keyFrame)
    }

    /// Waits until a frame is to be taken.
    ///
    /// - Returns: Whether a receiver would be sent it at once.
    /// - Throws: `timedOut` if none is to be taken by the deadline.
    private func waitUntilDue(
        _ carrier: RelayCarrier, until deadline: Deadline
    ) throws(FrameStreamingError) -> Bool {
        // The first frame makes the stream known.
        guard let taken else { return stream.sender.waitForDemand(until: .now) }
        if stream.sender.waitForDemand(until: .now) { return true }
        let rest = stream.sender.openReceivers == (0, 0) ? Self.idleRest : Self.busyRest
        if carrier.receiver.inbox.hasFrames { stream.sender.noteFrameWaits() }
        if stream.sender.waitForDemand(until: deadline.earlier(.at(taken.advanced(by: rest)))) { return true }
        if carrier.receiver.end != nil || taken.duration(to: .now) >= rest { return false }
        throw .timedOut("a receiver with credit")
    }

    private mutating func take(
        _ event: ReceivedEvent, from carrier: RelayCarrier, isWanted: Bool
    ) throws(FrameStreamingError) -> SourceEvent? {
        switch event {
        case .notice(.lost(let reason)): return note(FrameStreamingError(.sourceLost, reason))
        // The next frame says as much.
        case .notice(.restored): return nil
        case .frame(let received):
            var frame = received.forwarded()
            try stream.mark(&frame)
            stream.noteFrame(from: carrier, isFirst: !hasBegun, isBack: isLost)
            hasBegun = true
            // What came with it is taken at once, where there is no receiver: a sender that ends does
            // not wait.
            if isWanted || !carrier.receiver.inbox.hasFrames { taken = .now }
            // Frames that may depend on each other are not kept back: the links know whom they suit.
            let isKept = !isWanted && (frame.format.pixelFormat == .jpeg || frame.format.planeCount > 0)
            unseen = isKept ? frame : nil
            if isLost {
                isLost = false
                held = isKept ? nil : frame
                return .restored
            }
            return isKept ? nil : .frame(frame)
        }
    }

    /// Ends the stream with the sender's goodbye: the frame that no receiver has seen, and then nothing.
    ///
    /// - Returns: Nil if another sender has the stream by now, and it goes on.
    private mutating func end(_ carrier: RelayCarrier, _ goodbye: Goodbye) -> SourceEvent?? {
        guard stream.finish(carrier, carrier.receiver.relayedGoodbye ?? goodbye) else { return nil }
        hasEnded = true
        return .some(unseen.take().map { .frame($0) })
    }

    private mutating func lose(_ carrier: RelayCarrier, _ error: FrameStreamingError) -> SourceEvent? {
        unseen = nil
        stream.lose(carrier, error)
        return note(error)
    }

    /// A loss is reported once, until frames are back.
    private mutating func note(_ error: FrameStreamingError) -> SourceEvent? {
        guard !isLost else { return nil }
        isLost = true
        stream.tell(.lost(stream: stream.name, error: error))
        return hasBegun ? .lost(error: error) : nil
    }
}
