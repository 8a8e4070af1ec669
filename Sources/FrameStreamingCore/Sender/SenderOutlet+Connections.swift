internal import FrameStreamingSystem

/// One connection after another: the life of an outlet's thread.
extension SenderOutlet {
    /// How long one attempt to connect may take.
    private static var attempt: Duration { .seconds(10) }

    func run(_ connector: any Connector) {
        defer { state.update { $0.isRunning = false } }
        var delay = ReconnectDelay()
        while let transport = nextConnection(connector, &delay) {
            let start = MonotonicTime.now
            guard let live = begin(transport) else {
                transport.close()
                return
            }
            wait(in: live)
            leave(transport)
            let _: Bool? = state.wait(until: nil) { $0.isListening || $0.isSending ? nil : true }
            if start.advanced(by: ReconnectDelay.healthy) <= .now { delay.reset() } else { pause(&delay) }
        }
    }

    /// A peer that takes connections and breaks them is not asked as fast as it breaks them.
    private func pause(_ delay: inout ReconnectDelay) {
        guard let connector, !connector.isListening, state.withLock({ $0.end == nil && !$0.isFinishing }) else {
            return
        }
        let breakage = state.withLock { $0.breakage } ?? FrameStreamingError(.connectionLost, "the receiver left")
        sleep(delay.next(), for: breakage, connector)
    }

    /// Says that it waits so long, and why, and does, or until the stream ends.
    private func sleep(_ wait: Duration, for reason: FrameStreamingError, _ connector: any Connector) {
        options.onEvent?(.waiting(connector.address, reason, wait))
        let _: Bool? = state.wait(until: Deadline.after(wait).nanoseconds) { state in
            state.end != nil || state.isFinishing ? true : nil
        }
    }

    /// Answers the goodbye of a receiver that has left; what broke is closed, and what this side ends is for `finish`.
    private func leave(_ transport: any Transport) {
        let answers: Bool? = state.update { state in
            if state.isFinishing { return nil }
            // A cancel says nothing: what it closes must not be told that all was well.
            guard let end = state.end, end != .cancelled, state.failure == nil else { return false }
            state.isFinishing = true
            return true
        }
        guard let answers else { return }
        if answers { try? transport.finish("", until: .after(options.finishTimeout)) }
        transport.close()
    }

    /// The next connection, waited for as long as it takes; nil when there is none to come.
    private func nextConnection(_ connector: any Connector, _ delay: inout ReconnectDelay) -> (any Transport)? {
        while state.withLock({ $0.end == nil && !$0.isFinishing }) {
            let start = MonotonicTime.now
            do throws(FrameStreamingError) {
                return try connector.connect(until: .after(Self.attempt))
            } catch {
                if connector.isListening, error.code == .timedOut { continue }
                let isOfOnePeer = connector.isListening && error.isOfOnePeer
                guard isOfOnePeer || error.mayPass && options.reconnection != .never else {
                    endByItself(.of(error), error)
                    return nil
                }
                state.withLock { $0.breakage = error }
                // A whole attempt's time was waited already.
                let hasWaited = error.code == .timedOut && start.advanced(by: Self.attempt / 2) <= .now
                sleep(hasWaited ? .zero : delay.next(), for: error, connector)
            }
        }
        return nil
    }

    /// Goes on over another connection, made by the receiver that lost the one before, and returns its number. Nil: it is not waited for.
    ///
    /// - Parameter peer: The connection's own.
    func adopt(_ transport: any Transport, of peer: Peer) -> Int? {
        let claim: (number: Int, old: (any Transport)?)? = state.update { state in
            guard connector == nil, state.end == nil, !state.isFinishing, isReliable, peer.session != 0,
                peer.session == state.peer.session
            else { return nil }
            state.handedOver += 1
            state.awayUntil = nil
            return (state.handedOver, state.live?.transport)
        }
        guard let claim else { return nil }
        // The receiver knows that its old connection is gone before this side does.
        claim.old?.close()
        enum Outcome { case mine, overtaken, ended }
        let outcome = state.wait(until: nil) { state -> Outcome? in
            if state.end != nil || state.isFinishing { return .ended }
            if state.handedOver != claim.number { return .overtaken }
            return state.live == nil && !state.isListening && !state.isSending ? .mine : nil
        }
        switch outcome {
        case .mine:
            if begin(transport) == nil { transport.close() }
            return claim.number
        case .overtaken:
            transport.close()
            return claim.number
        case .ended, nil: return nil
        }
    }

    /// Waits until the connection that was handed over with this number is no longer used.
    func waitUntilOver(_ number: Int) {
        let _: Bool? = state.wait(until: nil) { state in
            state.lastLost >= number || state.handedOver > number || state.isOver ? true : nil
        }
    }

    /// Ends although this side did not ask for it, and says so.
    func endByItself(_ end: StreamEnd, _ failure: FrameStreamingError?) {
        guard self.end(end, failure) else { return }
        options.onEvent?(.ended(summary.peer, failure))
    }

    /// Sends over this connection from now on; nil where nothing goes any more.
    func begin(_ transport: any Transport) -> Live? {
        let peer = transport.peer
        // Before the first frame, so that it is measured with that.
        roundTrip(transport)
        let begun: (Live, [Picture])? = state.update { state in
            guard state.end == nil else { return nil }
            let live = Live(transport, number: state.handedOver)
            state.live = live
            state.peer = peer
            state.breakage = nil
            state.lastProgress = .now
            state.blockedSince = nil
            state.notices = state.sourceLost.map { [$0] } ?? []
            let consumed = state.progress.connect(
                consumed: peer.session == 0 ? 0 : peer.resumedFrom, underWay: state.unacknowledged.count)
            state.unacknowledged.removeFirst(consumed)
            let event = FlowControl.Event.connected(creditThrough: peer.initialCredit, consumed: consumed)
            guard let decision = try? state.flow.handle(event, at: .now) else { return (live, []) }
            state.isListening = true
            return (live, carryOut(decision, &state))
        }
        guard let (live, pictures) = begun else { return nil }
        for picture in pictures { encoders.submit(picture) }
        if !listener.add(self, live), let failure = listenAlone(live) {
            if connector == nil {
                end(.of(failure), failure)
                return nil
            }
            // There may be a thread for the next one.
            lose(live, failure)
            return live
        }
        onChange()
        options.onEvent?(.connected(peer))
        push()
        return live
    }

    /// Starts a thread that listens to this connection alone; the error where none can be.
    func listenAlone(_ live: Live) -> FrameStreamingError? {
        do throws(SystemError) {
            _ = try SystemThread(name: "frame-acks") { self.listen(live) }
            return nil
        } catch {
            stoppedListening()
            return FrameStreamingError(error, remedy: "no thread could be started for the connection")
        }
    }

    /// A connection is over: by the receiver's goodbye, or broken. Who sends and who listens both find out; the first counts.
    func lose(_ live: Live, _ error: FrameStreamingError?) {
        let transport = live.transport
        let peer = transport.peer
        let patience = returnPatience
        let goesOn: Bool? = state.update { state in
            guard state.end == nil, state.live === live else { return nil }
            // How our own goodbye ended is for `finish` to say.
            if state.isFinishing {
                let isEcho = error.map { state.flow.isDrained || $0.code == .closed } ?? true
                return isEcho ? nil : false
            }
            guard mayGoOn(after: error, peer) else { return false }
            state.live = nil
            state.lastLost = live.number
            if connector == nil, state.handedOver == live.number {
                state.awayUntil = patience.map { MonotonicTime.now.advanced(by: $0) }
            }
            state.peer = peer
            // A goodbye is no breakage: who said it may stay away.
            state.breakage = error
            state.notices = []
            state.unfinished = nil
            state.isBlocked = false
            _ = try? state.flow.handle(.disconnected, at: .now)
            if !isReliable {
                state.jobs = []
                state.unacknowledged = []
            }
            return true
        }
        guard let goesOn else { return }
        if goesOn {
            options.onEvent?(.disconnected(peer, error))
            if let due = state.withLock({ $0.awayUntil }) { listener.remind(self, at: due) }
        } else {
            let failure = error ?? peer.goodbye?.failure(of: "receiver", peer)
            endByItself(failure.map { .of($0) } ?? .good(peer.handshake), failure)
        }
        // Lets the other thread go. A goodbye is answered by the one that makes the connections, or by one for that.
        if error != nil { transport.close() } else if connector == nil { answerGoodbye(over: transport) }
    }

    private func answerGoodbye(over transport: any Transport) {
        state.update { $0.goodbyes += 1 }
        do throws(SystemError) {
            _ = try SystemThread(name: "frame-goodbye") {
                self.leave(transport)
                self.state.update { $0.goodbyes -= 1 }
            }
        } catch {
            // Answers as well as it can.
            transport.close()
            state.update { $0.goodbyes -= 1 }
        }
    }

    /// The time is over that the receiver was waited for; when to look again, where it is not.
    func lookAfterReturn() -> MonotonicTime? {
        enum Outcome { case later(MonotonicTime), overdue(FrameStreamingError?), nothing }
        let outcome = state.withLock { state -> Outcome in
            guard state.end == nil, !state.isFinishing, let due = state.awayUntil else { return .nothing }
            return due > .now ? .later(due) : .overdue(state.breakage)
        }
        switch outcome {
        case .nothing: return nil
        case .later(let due): return due
        case .overdue(let breakage):
            let why = breakage ?? FrameStreamingError(.connectionLost, "the receiver left")
            let seconds = (returnPatience ?? .zero).components.seconds
            let failure = FrameStreamingError(
                why.code, "\(why.message); it did not come back within \(seconds) s and is given up",
                subject: why.subject,
                errno: why.errno)
            // Between the look and the end it may have come back.
            if state.withLock({ $0.awayUntil != nil && $0.live == nil }) { endByItself(.of(failure), failure) }
            return nil
        }
    }

    private func mayGoOn(after error: FrameStreamingError?, _ peer: Peer) -> Bool {
        if options.reconnection == .never { return false }
        if let error {
            // Only its user ends a listener: whatever one receiver did, the next one is served.
            if connector?.isListening == true { return true }
            guard error.mayPass || error.code == .closed else { return false }
        } else if peer.goodbye?.code != .stopped {
            // It wants no more, or failed. One that was stopped is waited for as one whose connection broke.
            return connector != nil && options.reconnection == .always
        }
        return connector != nil || (isReliable && peer.session != 0)
    }
}
