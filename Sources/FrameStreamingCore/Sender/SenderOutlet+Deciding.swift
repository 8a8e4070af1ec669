internal import FrameStreamingSystem

/// What happens to the outlet is told to its flow control, and what that decides is done; what the receiver says.
extension SenderOutlet {
    /// Moves pictures as decided, and returns those that are to be encoded once the lock is free.
    func carryOut(_ decision: FlowControl.Decision, _ state: inout State) -> [Picture] {
        if decision.ackTime != nil { state.lastProgress = .now }
        if decision.drops > 0 { state.slot.removeFirst(min(decision.drops, state.slot.count)) }
        if let (quality, scale) = state.flow.encodeSettings, (quality, scale) != (state.quality, state.scale) {
            (state.quality, state.scale) = (quality, scale)
            encoders.change { settings in (settings.quality, settings.scale) = (quality, scale) }
        }
        guard decision.takes > 0 else { return [] }
        var toEncode: [Picture] = []
        for picture in state.slot.prefix(decision.takes) {
            state.jobs.append(picture)
            if picture.request({ [weak self] in self?.push() }) == .encode { toEncode.append(picture) }
        }
        state.slot.removeFirst(min(decision.takes, state.slot.count))
        return toEncode
    }

    /// - Parameters:
    ///   - live: The connection that an acknowledgement came over.
    ///   - clock: What is known of the clock of the receiver whose acknowledgement this is.
    @discardableResult
    func decide(
        _ event: FlowControl.Event, over live: Live? = nil, clock: ClockFilter.Estimate? = nil
    ) throws(FrameStreamingError) -> FlowControl.Decision {
        typealias Outcome = (decision: FlowControl.Decision, toEncode: [Picture], matters: Bool, goesOn: Bool)
        let outcome = try state.withLock { (state) throws(FrameStreamingError) -> Outcome? in
            guard state.end == nil else { return nil }
            if case .acknowledged = event {
                // Of a connection that was given up already.
                guard let live, state.live === live else { return nil }
            }
            let now = MonotonicTime.now
            let decision = try state.flow.handle(event, at: now)
            if case .acknowledged(let word, _) = event, let time = decision.ackTime {
                let sent = MonotonicTime(nanoseconds: now.nanoseconds &- time)
                state.stages.record(acknowledged: word, sent: sent, at: now, clock: clock)
                state.progress.noteAcknowledgement()
                if !state.unacknowledged.isEmpty { state.unacknowledged.removeFirst() }
            }
            let toEncode = carryOut(decision, &state)
            // What the source's thread waits for: room in the slot, the end of what is under way.
            let matters = isReliable && decision.takes > 0 || state.isDraining && state.flow.isDrained
            return (decision, toEncode, matters, mayPush(state))
        }
        guard let (decision, toEncode, matters, goesOn) = outcome else { return FlowControl.Decision() }
        for picture in toEncode { encoders.submit(picture) }
        if matters { state.wakeAll() }
        if goesOn { push() }
        return decision
    }

    /// On a thread of its own: for a connection that cannot be watched, and for one that is about to end.
    func listen(_ live: Live) {
        defer { stoppedListening() }
        let transport = live.transport
        let clock = PeerClock(transport)
        while true {
            do throws(FrameStreamingError) {
                guard let message = try transport.receive(until: .never) else { return lose(live, nil) }
                try take(message, from: live, clock)
            } catch {
                if error.code == .timedOut { continue }
                return lose(live, error)
            }
        }
    }

    /// What a connection has said, for who listens to several; nil when it is over.
    ///
    /// - Parameters:
    ///   - transport: The connection's own.
    ///   - messages: Room for them, empty before and afterwards.
    func takeArrived(
        from transport: any WatchedTransport, _ live: Live, _ clock: PeerClock, _ messages: inout [Message]
    ) -> WatchedNeeds? {
        defer { messages.removeAll(keepingCapacity: true) }
        var outcome: Result<WatchedNeeds?, FrameStreamingError>
        do throws(FrameStreamingError) {
            outcome = .success(try transport.receiveArrived(into: &messages))
        } catch {
            outcome = .failure(error)
        }
        do throws(FrameStreamingError) {
            for message in messages { try take(message, from: live, clock) }
            if var needs = try outcome.get() {
                if let due = takeRoom(live) { needs.lookBy = min(needs.lookBy ?? due, due) }
                return needs
            }
            lose(live, nil)
        } catch {
            lose(live, error)
        }
        return nil
    }

    func stoppedListening() { state.update { $0.isListening = false } }

    private func take(
        _ message: Message, from live: Live, _ clock: PeerClock
    ) throws(FrameStreamingError) {
        let transport = live.transport
        switch message {
        case .acknowledgement(let acknowledgement):
            let word = FlowControl.Event.acknowledged(acknowledgement, roundTrip: roundTrip(transport))
            let time = try decide(word, over: live, clock: clock.estimate(transport)).ackTime
            if let time { options.onAcknowledgement?(acknowledgement, .nanoseconds(time)) }
        case .request(let request):
            try comply(request)
            options.onEvent?(.requested(transport.peer, request))
        case .frame, .sourceLost, .sourceRestored: break
        }
    }

    /// As the transport measured it, for whom it matters: it measures from the first time that it is asked for.
    @discardableResult
    func roundTrip(_ transport: any Transport) -> Int64? { options.window.isAdaptive ? transport.roundTrip : nil }

    private func comply(_ request: ReceiverRequest) throws(FrameStreamingError) {
        switch request {
        case .pause: try decide(.paused)
        case .resume: try decide(.resumed)
        case .quality(let quality):
            try decide(.qualityWanted(quality))
            onQuality(quality)
        }
    }
}
