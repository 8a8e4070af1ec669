internal import FrameStreamingSystem

/// The link to one receiver of a sender: a lock, a connection, and a thread where something must
/// wait. It tells its ``ReceiverSession`` what happened, performs the actions that it returns, and
/// decides nothing.
///
/// A frame is sent by the thread that made it sendable: the source's, an encoder's, or the one that
/// read the acknowledgement. To hand it to another thread costs more than to send it. The link's
/// own thread connects, and finishes what a connection did not take at once; it ends when there has
/// been nothing for it to do for a while, so that an idle link has none.
final class ReceiverLink: Sendable {
    typealias Session = ReceiverSession<SharedEncoding>

    /// Makes the connections; nil = the receiver does.
    let provider: (any TransportProvider)?
    let encoders: EncoderPool
    let poller: AcknowledgementPoller
    let idle: IdleLinks
    let options: SenderOptions
    /// Called with a quality that the receiver asks for.
    let onQuality: @Sendable (Int) -> Void
    /// Whether the sender has other receivers.
    let sharesEncodings: @Sendable () -> Bool
    /// Called when a connection was made, and at the end.
    let onChange: @Sendable () -> Void
    let state: Monitor<LinkState>

    /// What a link shares with the others of its sender.
    struct Surroundings: Sendable {
        let encoders: EncoderPool
        let poller: AcknowledgementPoller
        let idle: IdleLinks
        let onQuality: @Sendable (Int) -> Void
        let sharesEncodings: @Sendable () -> Bool
        let onChange: @Sendable () -> Void
    }

    private init(
        _ provider: (any TransportProvider)?, _ peer: Peer, _ connecting: SessionConnecting, _ options: SenderOptions,
        _ surroundings: Surroundings
    ) throws(FrameStreamingError) {
        self.provider = provider
        self.options = options
        encoders = surroundings.encoders
        poller = surroundings.poller
        idle = surroundings.idle
        onQuality = surroundings.onQuality
        sharesEncodings = surroundings.sharesEncodings
        onChange = surroundings.onChange
        state = Monitor(LinkState(session: try Session(options, connecting: connecting, at: .now), peer: peer))
    }

    /// A link over a connection that there is; the next one comes by ``adopt(_:)``.
    ///
    /// - Parameter isIncoming: The receiver made it.
    /// - Throws: `invalidArgument` for options out of range; `system` where no thread can be
    ///   started. The transport is the caller's to close then.
    convenience init(
        transport: any Transport, isIncoming: Bool, options: SenderOptions, _ surroundings: Surroundings
    ) throws(FrameStreamingError) {
        try self.init(nil, transport.peer, .byReceiver(isIncoming: isIncoming), options, surroundings)
        // What is connected already must get its goodbye, however soon that comes.
        begin(numbered(transport))
        if let failure = state.withLock({ $0.session.failure }), failure.code == .system { throw failure }
    }

    /// A link over connections that `provider` makes.
    convenience init(
        provider: any TransportProvider, options: SenderOptions, _ surroundings: Surroundings
    ) throws(FrameStreamingError) {
        let nobody = Peer(address: provider.address, handshake: .binary, initialCredit: 0, creditAhead: 0)
        try self.init(
            provider, nobody, provider.waitsForPeers ? .byListener : .byThisSide, options, surroundings)
        if let failure = wakeThread() { throw failure }
    }

    // MARK: The source's side

    /// Whether the source waits for this one.
    var isReliable: Bool { options.policy == .reliable }

    /// Frames that a receiver lets go by without a word before its link rests. Those that come while
    /// a live one is on its way to answer are few.
    private static let quietOffers = 16

    /// Offers the frame with this number of the run to a link that the source does not wait for.
    /// False: it rests, and takes what it misses from ``IdleLinks``.
    func offer(_ frame: SharedEncoding, number: UInt64) -> Bool {
        var step = LinkStep()
        let isAwake = state.withLock { state in
            if state.rests { return false }
            // It was woken when the frame was the newest already.
            guard state.offered < number else { return true }
            let quiet = state.quietOffers
            if quiet >= Self.quietOffers, state.session.rest() {
                state.rests = true
                state.offered = number - 1
                idle.enter(with: frame)
                return false
            }
            state.offered = number
            take(.offered(frame), &state, &step)
            state.quietOffers = state.session.mayRest ? quiet + 1 : 0
            return true
        }
        perform(&step)
        return isAwake
    }

    /// Offers a frame, waiting for room until the deadline where the policy is not to replace.
    /// False: there was no room, and nothing was counted.
    func offer(_ frame: SharedEncoding, until deadline: Deadline) -> Bool {
        var step = LinkStep()
        let isTaken: Bool? = state.wait(until: deadline.nanoseconds) { state in
            guard !isReliable || state.session.hasRoom || !state.session.phase.isOpen else { return nil }
            take(.offered(frame), &state, &step)
            return true
        }
        guard isTaken == true else { return false }
        perform(&step)
        return true
    }

    /// Offers a frame without waiting; with `replaces` false, only if it can go at once.
    func tryOffer(_ frame: SharedEncoding, replaces: Bool) -> SendOutcome {
        var step = LinkStep()
        let outcome = state.withLock { state -> SendOutcome in
            if state.rests { wake(&state) }
            guard state.session.phase.takesFrames else { return .noReceiver }
            let goesAtOnce = state.session.wouldTake
            guard !isReliable || state.session.hasRoom, replaces || goesAtOnce else { return .noCredit }
            let replaced = state.session.frames.counts.dropped.replaced
            take(.offered(frame), &state, &step)
            return goesAtOnce ? .sent : .queued(replacing: state.session.frames.counts.dropped.replaced > replaced)
        }
        perform(&step)
        return outcome
    }

    /// The frame that ``offer(_:until:)`` did not take still waits, since `start`.
    func noteSourceWaits(since start: MonotonicTime) {
        let bytes = state.withLock { $0.connection }?.deliveredBytes
        handle(.sourceWaits(since: start, deliveredBytes: bytes))
    }

    /// Whether a frame that is offered now goes at once.
    var hasCredit: Bool { state.withLock { $0.session.wouldTake } }

    // MARK: Ending

    /// Waits for what is queued and in flight, and says goodbye; ``look()`` is to be called
    /// meanwhile.
    func finish(_ goodbye: Goodbye, stopped: MonotonicTime?) {
        let bytes = state.withLock { $0.connection }?.deliveredBytes
        handle(.finish(SourceEnd(goodbye: goodbye, stopped: stopped), deliveredBytes: bytes))
    }

    /// Ends at once. A goodbye that is under way, perhaps over a connection before the present one,
    /// is not waited for either.
    func cancel() {
        handle(.cancel)
        let goodbyes = state.withLock { state in
            state.isCancelled = true
            return state.goodbyes
        }
        for connection in goodbyes { connection.transport.close() }
    }

    /// Looks whether the receiver makes progress, and whether the time for the end is over.
    func look() {
        let connection: LinkConnection?? = state.withLock { state in
            guard let wakeAt = state.session.wakeAt, wakeAt <= .now else { return nil }
            return .some(state.connection)
        }
        if let connection { handle(.tick(deliveredBytes: connection?.deliveredBytes)) }
    }

    /// Waits for the threads, which the session's end lets go within 100 ms; false when the
    /// deadline passes first.
    @discardableResult
    func join(until deadline: Deadline = .never) -> Bool {
        state.wait(until: deadline.nanoseconds) { $0.isOver ? true : nil } == true
    }

    /// Whether the session has ended, and no thread is in it any more.
    var isOver: Bool { state.withLock { $0.isOver } }

    // MARK: Connections that the receiver makes

    /// Goes on over another connection, made by the receiver that lost the one before, and returns
    /// its number. Nil: it is not waited for.
    func adopt(_ transport: any Transport, of peer: Peer) -> ConnectionNumber? {
        let adopted: ConnectionNumber? = state.update { state in
            guard state.session.isAwaiting(peer, after: state.peer) else { return nil }
            // The receiver knows that its old connection is gone before this side does.
            state.connection?.transport.close()
            state.next?.transport.close()
            let next = connection(state.nextNumber(), transport)
            state.next = next
            return next.number
        }
        if adopted != nil { wakeThread() }
        return adopted
    }

    /// Waits until a connection is no longer used.
    func waitUntilOver(_ number: ConnectionNumber) {
        let _: Bool? = state.wait(until: nil) { state in
            let isUsed = state.session.connection?.number == number || state.next?.number == number
            return isUsed ? nil : true
        }
    }

    // MARK: What is known

    /// Whether frames are sent, or will be when there is a connection.
    var isOpen: Bool { state.withLock { $0.session.phase.isOpen } }

    /// Whether there was a connection.
    var hasConnected: Bool { state.withLock { $0.session.frames.progress.connections > 0 } }

    var summary: SenderSummary.Receiver {
        state.withLock { state in
            countMissed(&state)
            let session = state.session
            return SenderSummary.Receiver(
                peer: state.connection?.transport.peer ?? state.peer, statistics: session.frames.statistics,
                end: session.phase.streamEnd, failure: session.failure,
                connections: session.frames.progress.connections, window: session.frames.flow.window,
                isPaused: session.phase.isOpen && session.connection?.isPaused == true)
        }
    }

    /// What happened since the last call of this.
    func takeInterval() -> SenderStatistics {
        state.withLock { state in
            countMissed(&state)
            var result = state.session.frames.counts
            result.merge(state.session.frames.takeStages())
            result.subtractCounts(of: state.countsBefore)
            state.countsBefore = state.session.frames.counts
            return result
        }
    }
}
