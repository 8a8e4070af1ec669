internal import FrameStreamingSystem

/// How a link passes events to its session, and performs the actions that it returns.
extension ReceiverLink {
    /// Passes an event to the session, and performs the actions that it returns.
    func handle(_ event: Session.Event) {
        var step = LinkStep()
        state.withLock { take(event, &$0, &step) }
        perform(&step)
    }

    /// Passes an event to the session, for callers that hold the lock.
    func take(_ event: Session.Event, _ state: inout LinkState, _ step: inout LinkStep) {
        if state.rests { wake(&state) }
        state.quietOffers = 0
        let wasOpen = state.session.phase.isOpen
        state.session.handle(event, at: .now, &step.actions)
        step.connection = state.connection
        step.wakesThread = state.mustWakeThread(connects: provider != nil)
        step.closes = wasOpen && !state.session.phase.isOpen
    }

    /// Ends a link's rest before an event: it takes the newest frame.
    func wake(_ state: inout LinkState) {
        let (number, newest) = idle.leave(self)
        state.session.noteMissed(number - state.offered - 1)
        if let newest { state.session.offerMissed(newest, at: .now) }
        state.offered = number
        state.rests = false
    }

    /// Counts the frames that a resting link missed, except the newest, which it may still get.
    func countMissed(_ state: inout LinkState) {
        guard state.rests else { return }
        let missed = idle.missed(after: state.offered) - 1
        state.session.noteMissed(missed)
        state.offered += missed
    }

    func perform(_ step: inout LinkStep) {
        while true {
            if step.wakesThread { wakeThread() }
            if step.closes { onChange() }
            var next: Session.Event?
            while let action = step.actions.next() {
                switch action {
                case .send(let outgoing, _, waits: false):
                    // A list of actions has at most one of these.
                    next = attempt(outgoing, over: step.connection)
                case .send(let outgoing, _, waits: true): wait(for: outgoing, over: step.connection)
                case .encode(let frame, let ticket, let order): encode(frame, ticket, order)
                case .wakeSource: state.wakeAll()
                case .close(let close): perform(close, step.connection)
                case .report(let report): tell(report, step.connection)
                }
            }
            guard let next else { break }
            state.withLock { take(next, &$0, &step) }
        }
        if let onDemand, hasCredit { onDemand() }
    }

    // MARK: Sending

    /// Hands something to the connection without waiting, so that a receiver
    /// that does not read delays no other.
    private func attempt(_ outgoing: Outgoing<SharedEncoding>, over connection: LinkConnection?) -> Session.Event? {
        guard let connection, let message = outgoing.message else { return nil }
        do throws(FrameStreamingError) {
            try connection.transport.send(message, until: .now)
            return .sent(connection.number)
        } catch {
            return error.code == .timedOut
                ? .blocked(connection.number, outgoing) : failure(error, of: outgoing, over: connection)
        }
    }

    /// The event of an error with which the connection did not take something.
    func failure(
        _ error: FrameStreamingError, of outgoing: Outgoing<SharedEncoding>, over connection: LinkConnection
    ) -> Session.Event {
        error.refusesMessage
            ? .refused(connection.number, outgoing, error) : .disconnected(connection.number, .broken(error))
    }

    private func wait(for outgoing: Outgoing<SharedEncoding>, over connection: LinkConnection?) {
        guard let connection else { return }
        state.withLock { $0.blocked = BlockedSend(outgoing, connection, since: .now) }
        if !poller.awaitRoom(connection, until: .now.advanced(by: options.sendTimeout)) { wakeThread() }
    }

    /// Sends what waits for room in a polled connection. Returns when to
    /// look again; nil = nothing waits.
    func useRoom(_ connection: LinkConnection) -> MonotonicTime? {
        let claimed: BlockedSend? = state.withLock { state in
            state.blocked?.connection === connection ? state.blocked.take() : nil
        }
        guard var blocked = claimed, let event = attempt(blocked.outgoing, over: connection) else { return nil }
        guard case .blocked = event else {
            handle(event)
            return isBlocked(connection) ? MonotonicTime.now.advanced(by: options.sendTimeout) : nil
        }
        guard let limit = blocked.limit(options.sendTimeout, at: .now) else {
            let error = FrameStreamingError.timedOut("room to send for \(options.sendTimeout)")
            handle(.disconnected(connection.number, .broken(error)))
            return nil
        }
        state.withLock { state in
            if state.session.connection?.number == connection.number { state.blocked = blocked }
        }
        return limit
    }

    /// Whether something waits for room in this connection.
    func isBlocked(_ connection: LinkConnection) -> Bool {
        state.withLock { $0.blocked?.connection === connection }
    }

    private func encode(_ frame: SharedEncoding, _ ticket: UInt64, _ order: EncodingOrder) {
        if let fallback = encoders.fallback,
            fallback.suits(state.withLock { $0.session.connection?.pixelFormats ?? [] })
        {
            return fallback.encode(frame, on: encoders) { [weak self] encoding, result in
                self?.handle(.encoded(ticket: ticket, encoding, as: result))
            }
        }
        if let encoder {
            return encoder.encode(frame, order, isShared: sharesEncodings(), on: encoders) {
                [weak self] encoding, result in self?.handle(.encoded(ticket: ticket, encoding, as: result))
            }
        }
        let done: @Sendable () -> Void = { [weak self] in self?.noteEncoding(frame, ticket) }
        switch frame.request(done) {
        case .encode: encoders.submit(frame)
        case .ready: noteEncoding(frame, ticket)
        case .wait: break
        }
    }

    private func noteEncoding(_ frame: SharedEncoding, _ ticket: UInt64) {
        if let encoding = frame.encoding { handle(.encoded(ticket: ticket, encoding)) }
    }

    // MARK: Reports

    private func tell(_ report: SessionReport, _ connection: LinkConnection?) {
        /// Looked up only if needed, because copying it for every
        /// acknowledgement would cost more than the rest.
        var peer: Peer { connection?.transport.peer ?? state.withLock { $0.peer } }
        switch report {
        case .connected:
            onChange()
            options.onEvent?(.connected(peer))
        case .disconnected(let error):
            state.wakeAll()
            options.onEvent?(.disconnected(peer, error: error))
            if let limit = state.withLock({ $0.session.returnLimit }) { poller.remind(self, at: limit) }
        case .acknowledged(let word, let time): options.onAcknowledgement?(word, .nanoseconds(time))
        case .requested(let request):
            if case .quality(let quality) = request { onQuality(quality) }
            options.onEvent?(.requested(peer, request))
        case .refused(let request, let error): options.onEvent?(.refused(peer, request, error: error))
        case .stalled(let quiet, let left): options.onEvent?(.stalled(peer, duration: quiet, givesUpAfter: left))
        case .chose(let quality, let scale):
            encoders.change { settings in (settings.quality, settings.scale) = (quality, scale) }
        case .ended(_, let error, let byItself):
            provider?.cancel()
            let last = peer
            state.update { state in
                state.peer = last
                state.next?.transport.close()
                state.next = nil
                state.blocked = nil
            }
            onChange()
            if byItself { options.onEvent?(.ended(last, error: error)) }
        }
    }

    // MARK: The end of a connection

    private func perform(_ close: SessionClose, _ connection: LinkConnection?) {
        guard let connection else { return }
        switch close {
        case .abruptly(let number):
            if number == connection.number { closeAbruptly(connection) }
        case .saying(let goodbye, _, let limit):
            LinkGoodbye(link: self, connection: connection, words: goodbye, isAnswer: false).say(until: limit)
        case .answering(let goodbye, _, let limit):
            LinkGoodbye(link: self, connection: connection, words: goodbye, isAnswer: true).say(until: limit)
        }
    }

    func closeAbruptly(_ connection: LinkConnection) {
        connection.transport.close()
        // An ended link keeps only its figures. The descriptor is closed with
        // the connection's last reference.
        state.withLock { state in
            guard state.connection === connection, state.session.connection == nil else { return }
            state.peer = connection.transport.peer
            state.connection = nil
        }
    }

    // MARK: Threads

    /// Uses the connection from now on.
    func begin(_ connection: LinkConnection) {
        let peer = connection.transport.peer
        var step = LinkStep()
        state.withLock { state in
            state.connection = connection
            if state.next === connection { state.next = nil }
            state.peer = peer
            state.readers += 1
            take(.connected(connection.number, peer), &state, &step)
        }
        perform(&step)
        guard poller.add(self, connection) else { return connection.readAlone(for: self) }
        // A frame that found no room before the poller knew the connection. The poller's first look may
        // complete it, and would not report that.
        if isBlocked(connection) { _ = poller.awaitRoom(connection, until: .now.advanced(by: options.sendTimeout)) }
    }

    func numbered(_ transport: any Transport) -> LinkConnection {
        let number = state.withLock { $0.nextNumber() }
        return connection(number, transport)
    }

    func connection(_ number: ConnectionNumber, _ transport: any Transport) -> LinkConnection {
        // A window that may become adaptive with the first frame is measured from the start.
        let window = options.forLiveSource?.window ?? options.window
        return LinkConnection(
            number, transport, measuresRoundTrip: window.isAdaptive, isShared: sharesEncodings)
    }

    func noteReaderEnded() { state.update { $0.readers -= 1 } }

    /// Waits until no thread reads a connection of this link any more, or until the deadline. A
    /// thread that reads one may only call it with a deadline that has passed.
    func waitForReaders(until deadline: Deadline) {
        let _: Bool? = state.wait(until: deadline.nanoseconds) { $0.readers == 0 ? true : nil }
    }

    /// Wakes the link's thread, or starts one. Returns why that was impossible.
    @discardableResult
    func wakeThread() -> FrameStreamingError? {
        let isMissing = state.update { state in
            guard state.thread == nil, !state.session.phase.hasEnded else { return false }
            state.thread = .works
            return true
        }
        return isMissing ? LinkThread.start(for: self) : nil
    }
}
