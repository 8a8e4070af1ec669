internal import FrameStreamingSystem

/// One connection after another: the life of an outlet's thread.
extension SenderOutlet {
    /// How long one attempt to connect may take.
    private static var attempt: Duration { .seconds(10) }

    /// - Parameter first: A connection that has begun already.
    func run(_ first: (any Transport)?) {
        defer { state.update { $0.isRunning = false } }
        var delay = ReconnectDelay()
        var current = first
        while let transport = current ?? nextConnection(&delay) {
            let start = MonotonicTime.now
            guard current != nil || begin(transport) else {
                transport.close()
                return
            }
            current = nil
            pump(transport)
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
    private func nextConnection(_ delay: inout ReconnectDelay) -> (any Transport)? {
        guard let connector else { return nextOfferedTransport() }
        while state.withLock({ $0.end == nil && !$0.isFinishing }) {
            let start = MonotonicTime.now
            do throws(FrameStreamingError) {
                return try connector.connect(until: .after(Self.attempt))
            } catch {
                if connector.isListening, error.code == .timedOut { continue }
                guard error.mayPass, options.reconnection != .never else {
                    end(.of(error), error)
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

    private func nextOfferedTransport() -> (any Transport)? {
        let patience = options.drainTimeout.map { Deadline.after($0) } ?? .never
        let next: (any Transport)?? = state.wait(until: patience.nanoseconds) { state in
            if state.end != nil || state.isFinishing { return .some(nil) }
            return state.offeredTransport.map { .some($0) }
        }
        if let next = next ?? nil { return next }
        state.withLock { $0.offeredTransport }?.close()
        if state.withLock({ $0.end != nil || $0.isFinishing }) { return nil }
        let failure =
            state.withLock { $0.breakage } ?? FrameStreamingError(.connectionLost, "the receiver did not come back")
        end(.of(failure), failure)
        return nil
    }

    /// Goes on over another connection, made by the receiver that lost the one before, and returns its number. Nil: it is not waited for.
    func adopt(_ transport: any Transport) -> Int? {
        let peer = transport.peer
        return state.update { state in
            guard connector == nil, state.end == nil, !state.isFinishing, isReliable, peer.session != 0,
                peer.session == state.peer.session
            else { return nil }
            // The receiver knows that its old connection is gone before this side does.
            state.live?.transport.close()
            state.offeredTransport?.close()
            state.offeredTransport = transport
            state.handedOver += 1
            return state.handedOver
        }
    }

    /// Waits until the connection that was handed over with this number is no longer used.
    func waitUntilOver(_ number: Int) {
        let _: Bool? = state.wait(until: nil) { state in
            let isOver = state.lastLost >= number || state.handedOver > number
            return isOver || (!state.isRunning && !state.isListening) ? true : nil
        }
    }

    func begin(_ transport: any Transport) -> Bool {
        let peer = transport.peer
        // Before the first frame, so that it is measured with that.
        roundTrip(transport)
        let pictures: [Picture]? = state.update { state in
            guard state.end == nil else { return nil }
            state.live = Live(transport)
            state.offeredTransport = nil
            state.peer = peer
            state.breakage = nil
            state.lastProgress = .now
            state.notices = state.sourceLost.map { [$0] } ?? []
            let consumed = state.progress.connect(
                consumed: peer.session == 0 ? 0 : peer.resumedFrom, underWay: state.unacknowledged.count)
            state.unacknowledged.removeFirst(consumed)
            let event = FlowControl.Event.connected(creditThrough: peer.initialCredit, consumed: consumed)
            guard let decision = try? state.flow.handle(event, at: .now) else { return [] }
            state.isListening = true
            return carryOut(decision, &state)
        }
        guard let pictures else { return false }
        for picture in pictures { encoders.submit(picture) }
        if !listener.add(self, transport), let failure = listenAlone(transport) {
            end(.of(failure), failure)
            return false
        }
        onChange()
        options.onEvent?(.connected(peer))
        return true
    }

    /// Starts a thread that listens to this connection alone; the error where none can be.
    func listenAlone(_ transport: any Transport) -> FrameStreamingError? {
        do throws(SystemError) {
            _ = try SystemThread(name: "frame-acks") { self.listen(transport) }
            return nil
        } catch {
            stoppedListening()
            return FrameStreamingError(error, remedy: "no thread could be started for the connection")
        }
    }

    /// A connection is over: by the receiver's goodbye, or broken. Both threads find out; the first counts.
    func lose(_ transport: any Transport, _ error: FrameStreamingError?) {
        let peer = transport.peer
        let goesOn: Bool? = state.update { state in
            guard state.end == nil, state.live != nil else { return nil }
            // How our own goodbye ended is for `finish` to say.
            if state.isFinishing {
                let isEcho = error.map { state.flow.isDrained || $0.code == .closed } ?? true
                return isEcho ? nil : false
            }
            guard mayGoOn(after: error, peer) else { return false }
            state.live = nil
            if state.offeredTransport == nil { state.lastLost = state.handedOver }
            state.peer = peer
            // A goodbye is no breakage: who said it may stay away.
            state.breakage = error
            state.notices = []
            state.unfinished = nil
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
        } else if let error {
            end(StreamEnd.of(error), error)
        } else if let failure = peer.goodbye?.failure(of: "receiver", peer) {
            end(.of(failure), failure)
        } else {
            end(.good(peer.handshake))
        }
        // Lets the other thread go. A goodbye is answered by the one that sends.
        if error != nil { transport.close() }
    }

    private func mayGoOn(after error: FrameStreamingError?, _ peer: Peer) -> Bool {
        if options.reconnection == .never { return false }
        if let error {
            guard error.mayPass || error.code == .closed else { return false }
        } else if peer.goodbye?.code != .stopped {
            // It wants no more, or failed. One that was stopped is waited for as one whose connection broke.
            return connector != nil && options.reconnection == .always
        }
        return connector != nil || (isReliable && peer.session != 0)
    }
}
