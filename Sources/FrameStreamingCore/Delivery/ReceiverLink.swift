internal import FrameStreamingSystem

/// The link to one receiver of a sender: a lock, a connection, and a thread for work
/// that must wait. It passes events to its ``ReceiverSession``, performs the actions
/// that it returns, and decides nothing.
///
/// A frame is sent by the thread that made it sendable: the source's, an encoder's, or the one that
/// read the acknowledgement. Handing it to another thread costs more than sending it. The link's
/// own thread connects, and sends what a connection did not take at once. It ends after a while
/// without work, so an idle link has no thread.
final class ReceiverLink: Sendable {
    typealias Session = ReceiverSession<SharedEncoding>

    /// Makes the connections; nil = the receiver does.
    let provider: (any TransportProvider)?
    let encoders: EncoderPool
    /// This link's place among the encoders of a codec with memory; nil for another codec.
    let encoder: LinkEncoder?
    let poller: AcknowledgementPoller
    let idle: IdleLinks
    let options: SenderOptions
    /// Called with a quality that the receiver asks for.
    let onQuality: @Sendable (Int) -> Void
    /// Whether the sender has other receivers.
    let sharesEncodings: @Sendable () -> Bool
    /// Called when a connection was made, and at the end.
    let onChange: @Sendable () -> Void
    /// Called when a frame would be sent at once; nil = no source waits for that.
    let onDemand: (@Sendable () -> Void)?
    let state: Monitor<LinkState>

    /// The parts that a link shares with the others of its sender.
    struct Surroundings: Sendable {
        let encoders: EncoderPool
        let poller: AcknowledgementPoller
        let idle: IdleLinks
        let onQuality: @Sendable (Int) -> Void
        let sharesEncodings: @Sendable () -> Bool
        let onChange: @Sendable () -> Void
        let onDemand: (@Sendable () -> Void)?
    }

    private init(
        _ provider: (any TransportProvider)?, _ peer: Peer, _ connecting: SessionConnecting, _ options: SenderOptions,
        _ surroundings: Surroundings
    ) throws(FrameStreamingError) {
        self.provider = provider
        self.options = options
        encoders = surroundings.encoders
        encoder = encoders.shared.map { LinkEncoder($0) }
        poller = surroundings.poller
        idle = surroundings.idle
        onQuality = surroundings.onQuality
        sharesEncodings = surroundings.sharesEncodings
        onChange = surroundings.onChange
        onDemand = surroundings.onDemand
        let session = try Session(options, connecting: connecting, hasMemory: encoder != nil, at: .now)
        state = Monitor(LinkState(session: session, peer: peer))
    }

    /// Makes a link over an existing connection. The next one is passed to ``adopt(_:of:)``.
    ///
    /// - Parameter isIncoming: Whether the receiver made it.
    /// - Throws: `invalidArgument` for options out of range; `system` if no thread can be started.
    ///   Then the caller must close the transport.
    convenience init(
        transport: any Transport, isIncoming: Bool, options: SenderOptions, _ surroundings: Surroundings
    ) throws(FrameStreamingError) {
        try self.init(nil, transport.peer, .byReceiver(isIncoming: isIncoming), options, surroundings)
        // An existing connection must get its goodbye, however soon the end is.
        begin(numbered(transport))
        if let failure = state.withLock({ $0.session.failure }), failure.code == .system { throw failure }
    }

    /// Makes a link over connections that `provider` makes.
    convenience init(
        provider: any TransportProvider, options: SenderOptions, _ surroundings: Surroundings
    ) throws(FrameStreamingError) {
        let nobody = Peer(address: provider.address, handshake: .binary, initialCredit: 0, creditAhead: 0)
        try self.init(
            provider, nobody, provider.waitsForPeers ? .byListener : .byThisSide, options, surroundings)
        if let failure = wakeThread() { throw failure }
    }

    // MARK: The source's side

    /// Whether the source waits for this receiver.
    var isReliable: Bool { state.withLock { $0.session.isReliable } }

    /// How many frames without an answer let a link rest. While an active receiver's answer is on
    /// its way, only a few frames are offered.
    private static let quietOffers = 16

    /// Offers the frame with this number of the run to a link that the source does not wait for.
    /// Returns false if the link rests, and takes what it misses from ``IdleLinks``.
    func offer(_ frame: SharedEncoding, number: UInt64) -> Bool {
        var step = LinkStep()
        let isAwake = state.withLock { state in
            if state.rests { return false }
            // It was woken after the frame became the newest, and has taken it.
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

    /// Offers a frame. Unless the policy replaces frames, it waits for room until the deadline.
    /// Returns false if there was no room; then nothing was counted.
    func offer(_ frame: SharedEncoding, until deadline: Deadline) -> Bool {
        var step = LinkStep()
        let isTaken: Bool? = state.wait(until: deadline.nanoseconds) { state in
            guard !state.session.isReliable || state.session.hasRoom || !state.session.phase.isOpen else {
                return nil
            }
            take(.offered(frame), &state, &step)
            return true
        }
        guard isTaken == true else { return false }
        perform(&step)
        return true
    }

    /// Offers a frame without waiting; with `mayQueue` false, only if it can be sent at once.
    func tryOffer(_ frame: SharedEncoding, mayQueue: Bool) -> SendOutcome {
        var step = LinkStep()
        let outcome = state.withLock { state -> SendOutcome in
            if state.rests { wake(&state) }
            guard state.session.phase.takesFrames else { return .noReceiver }
            let goesAtOnce = state.session.wouldTake
            guard !state.session.isReliable || state.session.hasRoom, mayQueue || goesAtOnce else { return .noCredit }
            let replaced = state.session.frames.counts.dropped.replaced
            take(.offered(frame), &state, &step)
            return goesAtOnce ? .sent : .queued(replacing: state.session.frames.counts.dropped.replaced > replaced)
        }
        perform(&step)
        return outcome
    }

    /// Notes that the frame that ``offer(_:until:)`` did not take has waited since `start`.
    func noteSourceWaits(since start: MonotonicTime) {
        let bytes = state.withLock { $0.connection }?.deliveredBytes
        handle(.sourceWaits(since: start, deliveredBytes: bytes))
    }

    /// Whether there is a connection over which the receiver takes frames.
    var takesFrames: Bool {
        state.withLock { state in state.session.connection.map { !$0.isPaused } ?? false }
    }

    /// Whether a frame that stands alone would be sent at once, and nothing else can be.
    var awaitsKeyFrame: Bool { state.withLock { $0.session.wouldTake && $0.session.frames.awaitsKeyFrame } }

    /// Notes that a frame waits elsewhere until this link has credit.
    func noteWaiting() { state.withLock { $0.session.noteWaiting(at: .now) } }

    /// Whether a frame that is offered now is sent at once.
    var hasCredit: Bool { state.withLock { $0.session.wouldTake } }

    // MARK: Ending

    /// Begins to end the stream: frames that are queued and in flight are waited for, then a
    /// goodbye is sent. The caller must call ``look()`` meanwhile.
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

    /// Checks whether the receiver makes progress, and whether the time for the end is over.
    func look() {
        let connection: LinkConnection?? = state.withLock { state in
            guard let wakeAt = state.session.wakeAt, wakeAt <= .now else { return nil }
            return .some(state.connection)
        }
        if let connection { handle(.tick(deliveredBytes: connection?.deliveredBytes)) }
    }

    /// Waits for the threads, which end within 100 ms after the session;
    /// false if the deadline passes first.
    @discardableResult
    func join(until deadline: Deadline = .never) -> Bool {
        state.wait(until: deadline.nanoseconds) { $0.isOver ? true : nil } == true
    }

    /// Whether the session has ended, and no thread is in it any more.
    var isOver: Bool { state.withLock { $0.isOver } }

    // MARK: Connections that the receiver makes

    /// Continues over another connection, made by the receiver that lost the one before. Returns
    /// its number; nil if it is not awaited.
    func adopt(_ transport: any Transport, of peer: Peer) -> ConnectionNumber? {
        let adopted: ConnectionNumber? = state.update { state in
            guard state.session.isAwaiting(peer, after: state.peer) else { return nil }
            // The receiver knows before this side that its old connection is gone.
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

    // MARK: Questions

    /// Whether frames are sent, or will be once there is a connection.
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
                targetBitRate: session.frames.flow.targetBitRate(at: .now),
                isPaused: session.phase.isOpen && session.connection?.isPaused == true)
        }
    }

    /// Returns the figures since the last call.
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
