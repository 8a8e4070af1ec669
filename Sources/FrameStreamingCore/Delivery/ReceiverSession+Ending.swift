/// How a session ends, and how long it waits for a receiver without progress.
extension ReceiverSession {
    // MARK: This side's end

    mutating func finish(_ end: SourceEnd, deliveredBytes: UInt64?, at now: MonotonicTime) {
        guard phase.isOpen, !phase.isDraining else { return }
        phase = .draining(
            SessionPhase.Draining(
                end, limit: end.stopped?.advanced(by: patience.drainAfterStop),
                watch: StallMonitor(since: now, bytes: deliveredBytes, patience: patience.drain), at: now))
    }

    mutating func cancel(_ actions: inout Actions) {
        guard !phase.hasEnded else { return }
        if let number = connection?.number { actions.append(.close(.abruptly(number))) }
        end(.cancelled, nil, byItself: false, &actions)
    }

    /// Says goodbye when everything has arrived, or when the time for that is over.
    mutating func closeIfDone(at now: MonotonicTime, _ actions: inout Actions) {
        if case .draining(let draining) = phase {
            let isOver = draining.limit.map { $0 <= now } ?? false
            // A receiver that is away gets no more of a live stream, nor of one that was stopped.
            let isInVain = connection == nil && (!isReliable || draining.limit != nil)
            let isQuiet = connection.map { $0.notices.isEmpty && $0.turn == .free } ?? true
            if frames.isDrained && isQuiet || isOver || isInVain { closeAfterDraining(draining.end, at: now, &actions) }
        }
        if let limit = returnLimit, limit <= now {
            let error = patience.stayedAway(after: breakage)
            end(.of(error), error, byItself: true, &actions)
        }
    }

    private mutating func closeAfterDraining(_ end: SourceEnd, at now: MonotonicTime, _ actions: inout Actions) {
        let isStopped = end.stopped != nil
        guard let connection else {
            // There is no receiver to say goodbye to. A live stream that is ended while its
            // receiver is away has lost nothing by that.
            let error = isStopped && !isReliable ? nil : breakage
            return self.end(
                error.map { .of($0) } ?? (isStopped ? .cancelled : .bye), error, byItself: false, &actions)
        }
        let limit = patience.goodbyeLimit(in: phase, at: now)
        phase = .closing(
            SessionPhase.Closing(outcome: nil, goodEnd: isStopped ? .cancelled : connection.goodEnd))
        actions.append(.close(.saying(end.goodbye, over: connection.number, until: limit)))
    }

    // MARK: Goodbyes

    /// Ends with a goodbye whose answer changes nothing, and sends nothing more. Frames that are
    /// acknowledged until then still count.
    mutating func close(
        _ outcome: StreamEnd, _ error: FrameStreamingError?, saying goodbye: Goodbye, at now: MonotonicTime,
        _ actions: inout Actions
    ) {
        guard let connection else { return end(outcome, error, byItself: true, &actions) }
        failure = error
        frames.dropQueue()
        let limit = patience.goodbyeLimit(in: phase, at: now)
        phase = .closing(SessionPhase.Closing(outcome: outcome, goodEnd: outcome))
        actions.append(.close(.saying(goodbye, over: connection.number, until: limit)))
    }

    mutating func noteGoodbye(_ number: ConnectionNumber, _ error: FrameStreamingError?, _ actions: inout Actions) {
        guard case .closing(let closing) = phase, connection?.number == number else { return }
        if let outcome = closing.outcome {
            end(outcome, failure, byItself: true, &actions)
        } else if let error, !frames.isDrained {
            // Acknowledged frames count. A goodbye without an answer is an
            // error only if something is missing.
            end(.of(error), error, byItself: false, &actions)
        } else {
            end(closing.goodEnd, nil, byItself: false, &actions)
        }
        actions.append(.close(.abruptly(number)))
    }

    mutating func end(
        _ end: StreamEnd, _ error: FrameStreamingError?, byItself: Bool, _ actions: inout Actions
    ) {
        failure = error
        frames.end()
        connection = nil
        phase = .ended(end)
        actions.append(.report(.ended(end, error, byItself: byItself)))
    }

    // MARK: Receivers without progress

    /// Checks a receiver for whose room the source has waited since `start`.
    mutating func look(
        since start: MonotonicTime, deliveredBytes: UInt64?, at now: MonotonicTime, _ actions: inout Actions
    ) {
        guard phase.isOpen, !phase.isDraining, !hasRoom else { return }
        guard var current = watch else {
            watch = StallMonitor(since: start, bytes: deliveredBytes, patience: patience.stall)
            return
        }
        // A receiver may pause the stream, and a listener without a
        // receiver waits for any next one.
        let mayRest = connection.map(\.isPaused) ?? (connecting == .byListener)
        let progress = StallMonitor.Progress(time: lastProgress, bytes: deliveredBytes)
        let verdict = current.look(progress, mayRest: mayRest, at: now)
        watch = current
        guard case .givenUp(let quiet) = verdict else { return report(verdict, &actions) }
        giveUp(after: quiet, patience.stallOption, at: now, &actions)
    }

    mutating func lookWhileDraining(deliveredBytes: UInt64?, at now: MonotonicTime, _ actions: inout Actions) {
        guard case .draining(var draining) = phase else { return }
        let progress = StallMonitor.Progress(time: lastProgress, bytes: deliveredBytes)
        let mayRest = connection == nil && connecting == .byListener
        guard let verdict = draining.look(progress, mayRest: mayRest, at: now) else { return }
        phase = .draining(draining)
        guard case .givenUp(let quiet) = verdict else { return report(verdict, &actions) }
        if isReliable {
            giveUp(after: quiet, "SenderOptions.drainTimeout", at: now, &actions)
        } else {
            closeAfterDraining(draining.end, at: now, &actions)
        }
    }

    private mutating func report(_ verdict: StallMonitor.Verdict, _ actions: inout Actions) {
        guard case .waits(let quiet, let left) = verdict,
            stallReports.isDue(quiet, acknowledged: frames.progress.acknowledged)
        else { return }
        actions.append(.report(.stalled(quiet, givesUpAfter: left)))
    }

    /// Ends a session whose receiver has made no progress for the permitted time.
    private mutating func giveUp(
        after quiet: Duration, _ option: String, at now: MonotonicTime, _ actions: inout Actions
    ) {
        let error = patience.givenUp(after: quiet, option, at: connection?.address, breakage)
        if connecting == .byListener, options.reconnection != .never, let number = connection?.number {
            // Its place is free for the next one that connects.
            return disconnect(number, .broken(error), at: now, &actions)
        }
        close(
            .of(error), error, saying: .failed("given up: the sender waited for too long"), at: now, &actions)
    }

    /// Until when the session waits for a receiver that connects by itself.
    @inline(__always)
    var returnLimit: MonotonicTime? {
        guard !connecting.isOwn, needsConnection, frames.progress.connections > 0 else { return nil }
        return patience.away.map { lostAt.advanced(by: $0) }
    }

    /// When to pass ``SessionEvent/tick(deliveredBytes:)`` without another event;
    /// nil = nothing depends on the time.
    @inline(__always)
    var wakeAt: MonotonicTime? {
        var wakeAt = frames.flow.wakeAt
        if let limit = returnLimit { wakeAt = min(wakeAt ?? limit, limit) }
        if case .draining(let draining) = phase { wakeAt = min(wakeAt ?? draining.wakeAt, draining.wakeAt) }
        return wakeAt
    }
}
