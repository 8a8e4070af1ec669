internal import FrameStreamingSystem

/// How frames go out: at once, on whatever thread made it possible. What the connection does not take at once goes when there is room, on
/// the thread that listens to the receivers.
extension SenderOutlet {
    // MARK: Sending at once

    /// What a thread that wants to send at once finds.
    private enum Claim {
        /// - makesRoom: The source's thread may be waiting for it.
        case send(Outgoing, Live, toEncode: [Picture], makesRoom: Bool)
        /// A picture could not be encoded: others may be taken now.
        case again(toEncode: [Picture])
        /// The thread that waits for the flow control's time must look at it again, or there must be one.
        case wake(starts: Bool)
        /// The connection is full: the message goes when there is room.
        case wait(Live)
        case broken(Live, FrameStreamingError)
        case hopeless(Live, FrameStreamingError)
        case nothing
    }

    /// Sends what has credit, on the thread that made it so: the source's, an encoder's, or the one that read the acknowledgement. To hand it
    /// to another one costs more than to send it.
    ///
    /// Never waits, so that a receiver that takes nothing holds up nobody.
    func push() {
        var next = state.withLock { claim(&$0) }
        while true {
            switch next {
            case .send(let message, let live, let toEncode, let makesRoom):
                for picture in toEncode { encoders.submit(picture) }
                if makesRoom { state.wakeAll() }
                var failure: FrameStreamingError?
                do throws(FrameStreamingError) {
                    try live.transport.send(message.message, until: .now)
                } catch {
                    failure = error
                }
                next = state.withLock { [failure] state in sent(message, live, failure, &state) }
                continue
            case .again(let toEncode):
                for picture in toEncode { encoders.submit(picture) }
                if isReliable { state.wakeAll() }
                next = state.withLock { claim(&$0) }
                continue
            case .wake(let starts): if starts { startWaiting() } else { state.wakeAll() }
            case .wait(let live): if !listener.wantOutput(live) { finishAlone() }
            case .broken(let live, let error): lose(live, error)
            case .hopeless(let live, let error): fail(error, over: live)
            case .nothing: break
            }
            return
        }
    }

    /// A message was handed to the connection, or was not; what to do next.
    private func sent(
        _ message: Outgoing, _ live: Live, _ failure: FrameStreamingError?, _ state: inout State
    ) -> Claim {
        state.isSending = false
        guard state.live === live else { return claim(&state) }
        guard let failure else {
            state.blockedSince = nil
            return claim(&state)
        }
        guard failure.code == .timedOut else { return .broken(live, failure) }
        state.unfinished = message
        state.isBlocked = true
        if state.blockedSince == nil { state.blockedSince = .now }
        return .wait(live)
    }

    /// No later picture will do better: tells the receiver so, behind the frames that it has, and ends. On a thread for that: this one must not wait.
    private func fail(_ error: FrameStreamingError, over live: Live) {
        let isFirst = state.update { state in
            defer { state.isFinishing = true }
            if !state.isFinishing { state.goodbyes += 1 }
            return !state.isFinishing
        }
        guard isFirst else { return }
        let end: @Sendable () -> Void = { [self] in
            endByItself(.of(error), error)
            live.transport.close()
            state.update { $0.goodbyes -= 1 }
        }
        do throws(SystemError) {
            _ = try SystemThread(name: "frame-goodbye") { [self] in
                try? sayGoodbye(
                    .failed("the encoder failed: \(error.message)"), over: live.transport,
                    until: .after(options.finishTimeout))
                end()
            }
        } catch {
            end()
        }
    }

    /// Whether ``push()`` would find something: to be asked by who has the state at hand.
    func mayPush(_ state: State) -> Bool {
        // Who sends now looks again when it is done, and so does who waits for room.
        if state.isSending || state.isBlocked { return false }
        return state.end != nil || state.live == nil || hasWork(state) || state.flow.wakeAt != state.wakesAt
    }

    /// Whether there is something to be done now, by whoever may.
    private func hasWork(_ state: State) -> Bool {
        if state.unfinished != nil || !state.notices.isEmpty { return true }
        return state.flow.maySend && (state.flow.awaitingResend > 0 || state.jobs.first?.isEncoded == true)
    }

    private func claim(_ state: inout State) -> Claim {
        guard mayPush(state) else { return .nothing }
        // The thread that makes the connections looks at what has changed.
        guard state.end == nil, let live = state.live else { return .wake(starts: false) }
        let hadRoom = state.flow.hasRoom
        switch nextToSend(&state) {
        case .message(let message, let toEncode):
            state.isSending = true
            return .send(message, live, toEncode: toEncode, makesRoom: isReliable && !hadRoom && state.flow.hasRoom)
        case .again(let toEncode): return .again(toEncode: toEncode)
        case .hopeless(let error): return .hopeless(live, error)
        case nil: break
        }
        guard state.flow.wakeAt != state.wakesAt else { return .nothing }
        if connector != nil || state.isWaiting { return .wake(starts: false) }
        state.isWaiting = true
        return .wake(starts: true)
    }

    // MARK: What goes next

    private enum Work {
        case message(Outgoing, toEncode: [Picture])
        case again(toEncode: [Picture])
        case hopeless(FrameStreamingError)
    }

    private func nextToSend(_ state: inout State) -> Work? {
        // The connection knows how much of it went.
        if let message = state.unfinished.take() { return .message(message, toEncode: []) }
        if !state.notices.isEmpty { return .message(.notice(state.notices.removeFirst()), toEncode: []) }
        guard state.flow.maySend else { return nil }
        if state.flow.awaitingResend > 0 { return resend(&state) }
        guard let picture = state.jobs.first, let encoded = picture.encoded else { return nil }
        return send(picture, encoded, &state)
    }

    private func send(_ picture: Picture, _ encoded: Picture.Encoded, _ state: inout State) -> Work {
        guard case .success(let frame) = encoded.result else { return fail(encoded.result, &state) }
        let now = MonotonicTime.now
        var info = FrameInfo(sequence: state.flow.nextSequence, skipped: state.flow.nextSkipped)
        info.encodeTime = encoded.time
        info.creditWait = max(0, now.nanoseconds - picture.offered.nanoseconds - encoded.time)
        info.sendTime = now
        state.stages.record(sent: info, captured: picture.frame.captureTime, offered: picture.offered)
        state.jobs.removeFirst()
        if isReliable, options.reconnection != .never {
            state.unacknowledged.append(SentFrame(frame: frame, info: info))
        }
        // Before the bytes go out: the acknowledgement may be here before `send` returns.
        var toEncode: [Picture] = []
        if let settings = encoded.settings {
            let event = FlowControl.Event.encoded(
                nanoseconds: encoded.time, bytes: frame.byteCount, settings: settings)
            if let decision = try? state.flow.handle(event, at: now) { toEncode = carryOut(decision, &state) }
        }
        if let decision = try? state.flow.handle(.sent(bytes: frame.byteCount), at: now) {
            toEncode += carryOut(decision, &state)
        }
        return .message(.frame(SentFrame(frame: frame, info: info)), toEncode: toEncode)
    }

    private func resend(_ state: inout State) -> Work {
        let index = state.unacknowledged.count - state.flow.awaitingResend
        var sent = state.unacknowledged[index]
        sent.info.sequence = state.flow.nextSequence
        sent.info.sendTime = .now
        state.unacknowledged[index] = sent
        let decision = try? state.flow.handle(.resent(bytes: sent.frame.byteCount), at: .now)
        return .message(.frame(sent), toEncode: decision.map { carryOut($0, &state) } ?? [])
    }

    private func fail(_ result: Result<Frame, FrameStreamingError>, _ state: inout State) -> Work {
        if case .failure(let error) = result {
            // Settings or a pixel format that cannot be will be no better with the next picture.
            if error.code == .unsupported || error.code == .invalidArgument { return .hopeless(error) }
        }
        state.jobs.removeFirst()
        let decision = try? state.flow.handle(.failed, at: .now)
        return .again(toEncode: decision.map { carryOut($0, &state) } ?? [])
    }
}
