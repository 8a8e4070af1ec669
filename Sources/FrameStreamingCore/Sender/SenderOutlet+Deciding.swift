internal import FrameStreamingSystem

/// What happens to the outlet is told to its flow control, and what that decides is done; the thread that listens to the receiver.
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

    /// - Parameter clock: What is known of the clock of the receiver whose acknowledgement this is.
    @discardableResult
    func decide(
        _ event: FlowControl.Event, clock: ClockFilter.Estimate? = nil
    ) throws(FrameStreamingError) -> FlowControl.Decision {
        let (decision, toEncode, matters) = try state.withLock { (state) throws(FrameStreamingError) in
            guard state.end == nil else { return (FlowControl.Decision(), [Picture](), false) }
            if case .acknowledged = event {
                // Of a connection that was given up already.
                guard state.transport != nil else { return (FlowControl.Decision(), [], false) }
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
            return (decision, toEncode, matters)
        }
        for picture in toEncode { encoders.submit(picture) }
        if matters { state.wakeAll() }
        push()
        return decision
    }

    func listen(_ transport: any Transport) {
        defer { state.update { $0.isListening = false } }
        let clock = PeerClock(transport.peer)
        // Asked for before there is anything to be acknowledged, so that the transport begins to measure.
        let wantsRoundTrip = options.window.isAdaptive
        if wantsRoundTrip { _ = transport.roundTrip }
        while true {
            do throws(FrameStreamingError) {
                switch try transport.receive(until: .never) {
                case .acknowledgement(let acknowledgement):
                    let word = FlowControl.Event.acknowledged(
                        acknowledgement, roundTrip: wantsRoundTrip ? transport.roundTrip : nil)
                    let time = try decide(word, clock: clock.estimate(transport)).ackTime
                    if let time { options.onAcknowledgement?(acknowledgement, .nanoseconds(time)) }
                case .request(let request):
                    try comply(request)
                    options.onEvent?(.requested(transport.peer, request))
                case .frame, .sourceLost, .sourceRestored: continue
                case nil:
                    lose(transport, nil)
                    return
                }
            } catch {
                if error.code == .timedOut { continue }
                lose(transport, error)
                return
            }
        }
    }

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
