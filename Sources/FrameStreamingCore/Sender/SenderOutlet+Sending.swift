internal import FrameStreamingSystem

/// How frames go out: at once, on whatever thread made it possible, and what cannot on the outlet's own.
extension SenderOutlet {
    private enum Work {
        case notice(Message)
        case frame(SentFrame, toEncode: [Picture])
        /// Look again: the time to wake up, or the pictures, have changed.
        case again(toEncode: [Picture])
        case hopeless(FrameStreamingError)
        case stop
    }

    // MARK: Sending at once

    /// What a thread that wants to send at once finds.
    private enum Claim {
        /// - makesRoom: The source's thread may be waiting for it.
        case frame(SentFrame, Live, toEncode: [Picture], makesRoom: Bool)
        /// There is something that only the sending thread does.
        case handOver
        case nothing
    }

    /// Sends what has credit, on the thread that made it so: the source's, an encoder's, or the one that read the acknowledgement. To hand it
    /// to another one costs more than to send it.
    ///
    /// Never waits: what the connection does not take at once, the sending thread finishes, so that a receiver that takes nothing holds
    /// up nobody.
    func push() {
        var next = state.withLock { claim(&$0) }
        while case .frame(let sent, let live, let toEncode, let makesRoom) = next {
            for picture in toEncode { encoders.submit(picture) }
            if makesRoom { state.wakeAll() }
            let isSent = (try? live.transport.send(.frame(sent.frame, sent.info), until: .now)) != nil
            next = state.withLock { state in
                state.isSending = false
                // Full, or broken: the sending thread waits for the one and says the other.
                if !isSent, state.live != nil { state.unfinished = sent }
                return claim(&state)
            }
        }
        if case .handOver = next { state.wakeAll() }
    }

    /// Whether ``push()`` would find something: to be asked by who has the state at hand.
    func mayPush(_ state: State) -> Bool {
        // Who sends now looks again when it is done.
        if state.isSending { return false }
        return state.end != nil || state.live == nil || hasWork(state) || state.flow.wakeAt != state.wakesAt
    }

    private func claim(_ state: inout State) -> Claim {
        guard mayPush(state) else { return .nothing }
        guard state.end == nil, let live = state.live else { return .handOver }
        let hadRoom = state.flow.hasRoom
        let isPlain = state.unfinished == nil && state.notices.isEmpty && state.flow.awaitingResend == 0
        if isPlain, state.flow.maySend, let picture = state.jobs.first, let encoded = picture.encoded,
            case .success = encoded.result, case .frame(let sent, let toEncode) = send(picture, encoded, &state)
        {
            state.isSending = true
            return .frame(sent, live, toEncode: toEncode, makesRoom: isReliable && !hadRoom && state.flow.hasRoom)
        }
        return .handOver
    }

    // MARK: The sending thread

    /// Sends what has credit until the connection or the stream is over: what ``push()`` leaves.
    func pump(_ transport: any Transport) {
        while true {
            let wakeAt = state.withLock { state in
                state.wakesAt = state.flow.wakeAt
                return state.wakesAt
            }
            let work: Work? = state.wait(until: wakeAt?.nanoseconds) { state in next(&state, wakeAt) }
            do throws(FrameStreamingError) {
                switch work {
                case nil: try decide(.tick)
                case .notice(let message):
                    try send(message, over: transport)
                    state.update { if !$0.notices.isEmpty { $0.notices.removeFirst() } }
                case .frame(let sent, let toEncode):
                    for picture in toEncode { encoders.submit(picture) }
                    if isReliable { state.wakeAll() }
                    try send(.frame(sent.frame, sent.info), over: transport)
                case .again(let toEncode):
                    for picture in toEncode { encoders.submit(picture) }
                    if isReliable { state.wakeAll() }
                case .hopeless(let error): return fail(error, over: transport)
                case .stop: return
                }
            } catch {
                lose(transport, error)
                return
            }
        }
    }

    /// No later picture will do better: tells the receiver so, behind the frames that it has, and ends.
    private func fail(_ error: FrameStreamingError, over transport: any Transport) {
        let isFirst = state.update { state in
            defer { state.isFinishing = true }
            return !state.isFinishing
        }
        guard isFirst else { return }
        try? sayGoodbye(
            .failed("the encoder failed: \(error.message)"), over: transport, until: .after(options.finishTimeout))
        end(StreamEnd.of(error), error)
        transport.close()
    }

    /// Sends as long as it takes, and gives back the turn that ``next(_:_:)`` took.
    private func send(_ message: Message, over transport: any Transport) throws(FrameStreamingError) {
        defer { state.withLock { $0.isSending = false } }
        let progress = transport as? any DeliveryProgress
        var watch = StallWatch(since: .now, bytes: progress?.deliveredBytes, patience: options.sendTimeout)
        while true {
            do throws(FrameStreamingError) {
                // The connection remembers the part that went, and goes on with the rest.
                return try transport.send(message, until: .after(options.sendTimeout))
            } catch {
                guard error.code == .timedOut, state.withLock({ $0.end == nil }) else { throw error }
                let now = StallWatch.Progress(time: MonotonicTime(nanoseconds: .min), bytes: progress?.deliveredBytes)
                if case .givenUp = watch.look(now, at: .now) { throw error }
            }
        }
    }

    /// Whether there is something to be done now, by whoever may.
    private func hasWork(_ state: State) -> Bool {
        if state.unfinished != nil || !state.notices.isEmpty { return true }
        return state.flow.maySend && (state.flow.awaitingResend > 0 || state.jobs.first?.isEncoded == true)
    }

    private func next(_ state: inout State, _ wakeAt: MonotonicTime?) -> Work? {
        if state.end != nil || state.live == nil { return .stop }
        if !state.isSending, let work = nextToSend(&state) {
            switch work {
            case .notice, .frame: state.isSending = true
            default: break
            }
            return work
        }
        return state.flow.wakeAt == wakeAt ? nil : .again(toEncode: [])
    }

    private func nextToSend(_ state: inout State) -> Work? {
        // The connection knows how much of it went.
        if let sent = state.unfinished.take() { return .frame(sent, toEncode: []) }
        if let notice = state.notices.first { return .notice(notice) }
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
        return .frame(SentFrame(frame: frame, info: info), toEncode: toEncode)
    }

    private func resend(_ state: inout State) -> Work {
        let index = state.unacknowledged.count - state.flow.awaitingResend
        var sent = state.unacknowledged[index]
        sent.info.sequence = state.flow.nextSequence
        sent.info.sendTime = .now
        state.unacknowledged[index] = sent
        let decision = try? state.flow.handle(.resent(bytes: sent.frame.byteCount), at: .now)
        return .frame(sent, toEncode: decision.map { carryOut($0, &state) } ?? [])
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
