internal import FrameStreamingSystem

/// The two threads of an outlet: one encodes and sends, one listens.
extension SenderOutlet {
    /// Moves pictures as decided. Under the lock.
    func carryOut(_ decision: FlowControl.Decision, _ state: inout State) {
        if let ticket = decision.take, let picture = state.slot {
            state.slot = nil
            state.job = (picture, ticket)
        }
        if let time = decision.ackTime {
            state.times.ack.record(nanoseconds: time)
            state.interval.ack.record(nanoseconds: time)
            state.lastProgress = .now
        }
    }

    private enum Work {
        case notice(Message)
        case picture(Picture, FlowControl.Ticket, EncodeSettings)
        /// A picture that will be sent whatever comes, as soon as there is credit.
        case prepare(Picture, EncodeSettings)
        case stop
    }

    func pump() {
        defer { state.update { $0.running -= 1 } }
        while true {
            let work: Work? = state.wait(until: nil) { state in
                if state.end != nil { return .stop }
                if let notice = state.notices.first { return .notice(notice) }
                if let job = state.job {
                    state.job = nil
                    return .picture(job.picture, job.ticket, state.settings)
                }
                // Under `reliable` no newer picture takes this one's place: encoding it now makes nothing older, and the credit, when
                // it comes, finds it ready. Under `latest` that would be the work of a picture which is then thrown away.
                guard state.flow.policy == .reliable, let picture = state.slot, !state.slotIsPrepared else {
                    return nil
                }
                state.slotIsPrepared = true
                return .prepare(picture, state.settings)
            }
            do throws(FrameStreamingError) {
                switch work {
                case .notice(let message):
                    try transport.send(message, until: .after(sendTimeout))
                    state.update { _ = $0.notices.removeFirst() }
                case .picture(let picture, let ticket, let settings):
                    try send(picture, ticket, settings)
                case .prepare(let picture, let settings):
                    // The picture keeps the result; what is wrong with it is found out when it is sent.
                    _ = picture.encoded(by: codec, settings)
                case .stop, nil:
                    return
                }
            } catch {
                fail(error)
                return
            }
        }
    }

    private func send(
        _ picture: Picture, _ ticket: FlowControl.Ticket, _ settings: EncodeSettings
    ) throws(FrameStreamingError) {
        let wait = MonotonicTime.now.nanoseconds - picture.offered.nanoseconds
        let encoded = picture.encoded(by: codec, settings)
        let frame: Frame
        switch encoded.result {
        case .success(let result):
            frame = result
        case .failure(let error):
            // Settings or a pixel format that cannot be will be no better with the next picture.
            if error.code == .unsupported || error.code == .invalidArgument { throw error }
            try decide(.failed)
            return
        }
        var info = FrameInfo(sequence: ticket.sequence, skipped: ticket.skipped)
        info.encodeTime = encoded.time
        info.creditWait = wait
        info.sendTime = .now
        state.withLock { state in
            state.times.encode.record(nanoseconds: encoded.time)
            state.interval.encode.record(nanoseconds: encoded.time)
            state.times.creditWait.record(nanoseconds: wait)
            state.interval.creditWait.record(nanoseconds: wait)
        }
        // Before the bytes go out: the acknowledgement may be here before `send` returns.
        let sentBytes = frame.byteCount
        try decide(.sent(bytes: sentBytes))
        try transport.send(.frame(frame, info), until: .after(sendTimeout))
    }

    @discardableResult
    private func decide(_ event: FlowControl.Event) throws(FrameStreamingError) -> FlowControl.Decision {
        let (decision, matters) = try state.withLock { (state) throws(FrameStreamingError) in
            guard state.end == nil else { return (FlowControl.Decision(), false) }
            let decision = try state.flow.handle(event, at: .now)
            carryOut(decision, &state)
            return (decision, decision.take != nil || state.flow.isDrained)
        }
        // All that anybody waits for: a job, room in the slot, the end of what is under way. Waking the source's thread and the
        // sending one for each acknowledgement and each frame sent costs more than the acknowledgement itself.
        if matters { state.wakeAll() }
        return decision
    }

    func listen() {
        defer { state.update { $0.running -= 1 } }
        while true {
            do throws(FrameStreamingError) {
                guard let message = try transport.receive(until: .never) else {
                    // The answer to our own goodbye: how that ended is for `finish` to say.
                    if state.withLock({ $0.isFinishing }) { return }
                    end(.good(transport.peer.handshake))
                    return
                }
                guard case .acknowledgement(let acknowledgement) = message else { continue }
                let time = try decide(.acknowledged(acknowledgement)).ackTime
                if let time { onAcknowledgement?(acknowledgement, .nanoseconds(time)) }
            } catch {
                if error.code == .timedOut { continue }
                fail(error)
                return
            }
        }
    }

    private func fail(_ error: FrameStreamingError) {
        let isEcho = state.withLock { $0.isFinishing && ($0.flow.isDrained || error.code == .closed) }
        if isEcho { return }
        end(StreamEnd.of(error), error)
        transport.close()
    }
}
