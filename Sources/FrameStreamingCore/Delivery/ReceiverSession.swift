/// All decisions about one receiver of a sender: `(event, now) -> actions`, without threads, locks,
/// clocks or transports, so that millions of events can be simulated. Its driver, ``ReceiverLink``,
/// passes events to it and performs the actions that it returns.
///
/// The frames, with the only queue and the only list in flight, are in its ``FramePipeline``.
struct ReceiverSession<Frame: QueueableFrame>: Sendable {
    typealias Event = SessionEvent<Frame>
    typealias Actions = ActionList<SessionAction<Frame>>

    private(set) var options: SenderOptions
    let connecting: SessionConnecting
    let patience: SessionPatience
    var frames: FramePipeline<Frame>
    var phase = SessionPhase.connecting
    /// The present connection.
    var connection: SessionConnection?
    /// When the receiver last acknowledged a frame or connected.
    var lastProgress: MonotonicTime
    /// When the last connection was lost.
    private(set) var lostAt: MonotonicTime
    /// Watches a receiver for which the source waits; nil = it does not wait.
    var watch: StallMonitor?
    var stallReports = StallReports()
    /// Why there is no connection; nil before the first, or after the receiver's goodbye.
    private(set) var breakage: FrameStreamingError?
    /// The error that ended the session, if any.
    var failure: FrameStreamingError?
    /// The loss of the source, which the receiver must know; nil while the source is available.
    private var sourceLost: SourceNotice?
    private var chosen: (quality: Int, scale: PictureScale)?
    /// The source's last frame was encoded already.
    private var comesEncoded = false

    /// - Parameter hasMemory: Whether the encoder has memory.
    /// - Throws: `invalidArgument` for invalid options.
    init(
        _ options: SenderOptions, connecting: SessionConnecting, hasMemory: Bool = false, at now: MonotonicTime
    ) throws(FrameStreamingError) {
        self.options = options
        self.connecting = connecting
        patience = SessionPatience(options, connecting)
        frames = try FramePipeline(options, hasMemory: hasMemory)
        lastProgress = now
        lostAt = now
    }

    /// Handles an event, and appends the resulting actions to `actions`.
    mutating func handle(_ event: Event, at now: MonotonicTime, _ actions: inout Actions) {
        let hadRoom = hasRoom
        let wasOpen = phase.isOpen
        switch event {
        case .offered(let frame): offer(frame, at: now)
        case .sourceWaits(let start, let bytes): look(since: start, deliveredBytes: bytes, at: now, &actions)
        case .abandoned: frames.refuse()
        case .noticed(let notice): note(notice)
        case .sourceIsLive: followLiveSource()
        case .finish(let end, let bytes): finish(end, deliveredBytes: bytes, at: now)
        case .stop: phase.limitDraining(to: now.advanced(by: patience.drainAfterStop))
        case .cancel: cancel(&actions)
        case .encoded(let ticket, let encoding, let result):
            frames.noteEncoding(ticket, encoding, as: result, at: now)
        case .connected(let number, let peer): connect(number, peer, at: now, &actions)
        case .failedToConnect(let error): breakage = error
        case .gaveUpConnecting(let error):
            if phase.isOpen { end(.of(error), error, byItself: true, &actions) }
        case .sent(let number): if connection?.number == number { connection?.turn = .free }
        case .blocked(let number, let outgoing):
            if connection?.number == number {
                connection?.turn = .waiting
                actions.append(.send(outgoing, over: number, waits: true))
            }
        case .refused(let number, let outgoing, let error):
            refuse(number, outgoing, .refused(error), at: now, &actions)
        case .acknowledged(let number, let word, let roundTrip, let clock):
            acknowledge(number, word, roundTrip, clock, at: now, &actions)
        case .requested(let number, let request, let isShared):
            comply(number, request, isShared: isShared, at: now, &actions)
        case .disconnected(let number, let end): disconnect(number, end, at: now, &actions)
        case .saidGoodbye(let number, let error): noteGoodbye(number, error, &actions)
        case .tick(let bytes): lookWhileDraining(deliveredBytes: bytes, at: now, &actions)
        }
        advance(at: now, &actions)
        // Woken first: while a frame is being sent the other end is still idle, and on a machine with
        // two cores the source has a core for itself.
        if isReliable && !hadRoom && hasRoom || wasOpen && !phase.isOpen { actions.prepend(.wakeSource) }
        assert(
            frames.isAccountedFor, "every frame is in one place, and none is sent beyond the credit: \(frames.counts)")
        assert(phase.agrees(with: connection, frames), "\(phase) with \(String(describing: connection))")
    }

    /// Takes frames for encoding and sends the next one, if the event made that possible.
    private mutating func advance(at now: MonotonicTime, _ actions: inout Actions) {
        frames.expire(at: now)
        takeWaiting(at: now, &actions)
        // Sending a frame made room for another.
        if sendNext(at: now, &actions) { takeWaiting(at: now, &actions) }
        closeIfDone(at: now, &actions)
    }

    // MARK: The source's side

    private mutating func offer(_ frame: Frame, at now: MonotonicTime) {
        guard phase.takesFrames else { return frames.refuse() }
        assert(!isReliable || hasRoom, "under reliable a frame is offered only while there is room")
        watch = nil
        comesEncoded = frame.comesEncoded
        frames.offer(frame, at: now)
    }

    // A link whose receiver does not answer rests: see ``IdleLinks``. It rests only under `latest`,
    // and only an event ends that, so these methods do not call ``advance(at:_:)``.

    /// Whether a frame waits, and another would only replace it until something else happens.
    @inline(__always)
    var mayRest: Bool { options.policy == .latest && phase.takesFrames && frames.mayRest }

    /// Begins to rest: drops the frame that waits, because newer ones are offered only with the
    /// next event. Returns false if it may not rest.
    mutating func rest() -> Bool {
        guard mayRest else { return false }
        frames.replaceWaiting()
        return true
    }

    /// Counts frames that the source gave while it rested, and that it does not get.
    mutating func noteMissed(_ count: UInt64) {
        if count > 0 { frames.miss(count) }
    }

    /// Offers the newest frame that the source gave while it rested. An event follows.
    mutating func offerMissed(_ frame: Frame, at now: MonotonicTime) { frames.offer(frame, at: now) }

    private mutating func followLiveSource() {
        guard let options = options.forLiveSource else { return }
        self.options = options
        frames.change(options)
    }

    private mutating func note(_ notice: SourceNotice) {
        if case .lost = notice { sourceLost = notice } else { sourceLost = nil }
        if phase.isOpen { connection?.note(notice) }
    }

    // MARK: Encoding and sending

    private mutating func takeWaiting(at now: MonotonicTime, _ actions: inout Actions) {
        guard connection?.isPaused == false, phase.isOpen else { return frames.rest() }
        frames.take(at: now) { entry, order in
            actions.append(.encode(entry.frame, ticket: entry.ticket, order))
        }
        if let settings = frames.flow.encodeSettings, chosen.map({ $0 != settings }) ?? true {
            chosen = settings
            actions.append(.report(.chose(quality: settings.quality, scale: settings.scale)))
        }
    }

    /// Hands the next frame, or a notice about the source, to the connection, if no thread is
    /// sending and the receiver has credit.
    ///
    /// - Returns: Whether something left the queue.
    private mutating func sendNext(at now: MonotonicTime, _ actions: inout Actions) -> Bool {
        guard phase.isOpen, let number = connection?.number else { return false }
        let hasDropped: Bool
        do throws(FrameStreamingError) {
            hasDropped = try frames.dropUseless() > 0
        } catch {
            close(.of(error), error, saying: .failed("the encoder failed: \(error.message)"), at: now, &actions)
            return false
        }
        if let formats = connection?.pixelFormats, !formats.isEmpty, let format = frames.nextFormat,
            !formats.contains(format)
        {
            // If a listener makes the connections, the session goes on with the next receiver.
            disconnect(
                number, .refused(.unsuited(format, toTaking: formats, at: connection?.address)), at: now, &actions)
            return false
        }
        guard connection?.turn == .free else { return hasDropped }
        let outgoing: Outgoing<Frame>
        if let notice = connection?.takeNotice() {
            outgoing = .notice(notice)
        } else if let answer = connection?.takeAnswer() {
            outgoing = .answer(answer)
        } else if let (frame, info) = frames.send(at: now) {
            outgoing = .frame(frame, info)
        } else {
            return hasDropped
        }
        connection?.turn = .trying
        actions.append(.send(outgoing, over: number, waits: false))
        return true
    }

    /// Ends a connection that did not carry what was handed to it.
    private mutating func refuse(
        _ number: ConnectionNumber, _ outgoing: Outgoing<Frame>, _ end: ConnectionEnd, at now: MonotonicTime,
        _ actions: inout Actions
    ) {
        guard let connection, connection.number == number else { return }
        // A frame that may be sent again goes to the next receiver.
        let isKept = frames.mayResend && phase.isOpen && end.isAnotherAwaited(connecting, options, connection)
        if case .frame = outgoing, !isKept { frames.failLastSent() }
        disconnect(number, end, at: now, &actions)
    }

    // MARK: The receiver's messages

    private mutating func acknowledge(
        _ number: ConnectionNumber, _ word: Acknowledgement, _ roundTrip: Int64?, _ clock: ClockFilter.Estimate?,
        at now: MonotonicTime, _ actions: inout Actions
    ) {
        // Otherwise the event is of a connection that was given up already.
        guard connection?.number == number else { return }
        do throws(FrameStreamingError) {
            let time = try frames.acknowledge(word, roundTrip: roundTrip, clock: clock, at: now)
            lastProgress = now
            if options.onAcknowledgement != nil { actions.append(.report(.acknowledged(word, after: time))) }
        } catch {
            disconnect(number, .broken(error), at: now, &actions)
        }
    }

    private mutating func comply(
        _ number: ConnectionNumber, _ request: ReceiverRequest, isShared: Bool, at now: MonotonicTime,
        _ actions: inout Actions
    ) {
        guard connection?.number == number else { return }
        let refusal = refusal(of: request, isShared: isShared)
        do throws(FrameStreamingError) {
            try connection?.answer(RequestAnswer(request, refusal: refusal))
        } catch {
            return disconnect(number, .broken(error), at: now, &actions)
        }
        if let refusal {
            let error = FrameStreamingError(.unsupported, refusal, subject: connection?.address)
            return actions.append(.report(.refused(request, error)))
        }
        switch request {
        case .pause: connection?.isPaused = true
        case .resume: connection?.isPaused = false
        case .quality(let wanted): frames.limitQuality(to: wanted)
        case .keyFrame: frames.beginChain()
        }
        actions.append(.report(.requested(request)))
    }

    /// Why a request is impossible; nil = it is not.
    private func refusal(of request: ReceiverRequest, isShared: Bool) -> String? {
        if request == .keyFrame {
            return comesEncoded && !options.isRelay
                ? "the source's frames are encoded already: its own encoder decides which stand alone" : nil
        }
        guard case .quality = request else { return nil }
        if comesEncoded {
            return "the source's frames are encoded already and are sent unchanged: change the source's own quality"
        }
        if isShared, frames.flow.quality == nil {
            return "several receivers share one encoding, so none of them chooses its quality: change the sender's own"
        }
        return nil
    }

    // MARK: Connections

    private mutating func connect(
        _ number: ConnectionNumber, _ peer: Peer, at now: MonotonicTime, _ actions: inout Actions
    ) {
        guard phase.isOpen else {
            // The stream ended while the connection was being made.
            actions.append(.close(.abruptly(number)))
            return
        }
        assert(connection == nil, "a connection begins while there is another")
        if !phase.isDraining { phase = .streaming }
        breakage = nil
        lastProgress = now
        connection = SessionConnection(number, peer, telling: sourceLost)
        frames.connect(peer)
        actions.append(.report(.connected(number)))
    }

    mutating func disconnect(
        _ number: ConnectionNumber, _ end: ConnectionEnd, at now: MonotonicTime, _ actions: inout Actions
    ) {
        guard let connection, connection.number == number else { return }
        if case .closing(let closing) = phase {
            // The outcome of our own goodbye decides, unless an acknowledgement is
            // missing that can arrive no more.
            if case .broken(let error) = end, closing.outcome == nil, !frames.isDrained, error.code != .closed {
                self.end(.of(error), error, byItself: false, &actions)
                actions.append(.close(.abruptly(number)))
            } else if closing.outcome == nil, let error = end.failure(at: connection.address),
                error.code == .unsupported
            {
                // The receiver could decode nothing of what was sent.
                failure = error
                frames.dropQueue()
                phase = .closing(SessionPhase.Closing(outcome: .of(error), goodEnd: .of(error)))
            }
            return
        }
        let error = end.failure(at: connection.address)
        guard end.isAnotherAwaited(connecting, options, connection) else {
            if case .broken(let error) = end {
                self.end(.of(error), error, byItself: true, &actions)
                actions.append(.close(.abruptly(number)))
            } else {
                close(error.map { .of($0) } ?? connection.goodEnd, error, saying: end.goodbye, at: now, &actions)
            }
            return
        }
        breakage = error
        lostAt = now
        frames.disconnect()
        self.connection = nil
        if !phase.isDraining { phase = .connecting }
        actions.append(.report(.disconnected(error)))
        let limit = patience.goodbyeLimit(in: phase, at: now)
        actions.append(.close(end.close(of: number, until: limit)))
    }

    /// Notes that a frame waits outside until it would be sent at once, as a relay's does.
    mutating func noteWaiting(at now: MonotonicTime) {
        if case .streaming = phase, connection?.isPaused == false { frames.noteWaiting(at: now) }
    }

    // MARK: Questions
    // Inlined, because a call of a getter copies the whole session, at each event.

    @inline(__always)
    var isReliable: Bool { options.policy == .reliable }

    /// Whether a connection must be made or awaited.
    @inline(__always)
    var needsConnection: Bool { phase.isOpen && connection == nil }

    /// Whether a connection to `peer` is the awaited next one of the receiver that was `before`.
    func isAwaiting(_ peer: Peer, after before: Peer) -> Bool {
        !connecting.isOwn && phase.isOpen && isReliable && peer.session != 0 && peer.session == before.session
    }

    /// Whether the queue takes a frame without losing another.
    @inline(__always)
    var hasRoom: Bool { phase.isOpen && frames.hasRoom }

    /// Whether a frame that is offered now is sent, or taken for encoding, at once.
    @inline(__always)
    var wouldTake: Bool {
        guard case .streaming = phase, connection?.isPaused == false else { return false }
        return frames.wouldTake
    }
}
