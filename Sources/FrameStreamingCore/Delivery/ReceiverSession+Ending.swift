/// How a session ends, and for how long a receiver without progress is waited for.
extension ReceiverSession {
    /// How often a driver is to look for progress while it waits for a receiver.
    static var lookInterval: Duration { .milliseconds(50) }

    // MARK: This side's end

    mutating func finish(_ end: SourceEnd, deliveredBytes: UInt64?, at now: MonotonicTime) {
        guard phase.isOpen, !phase.isDraining else { return }
        phase = .draining(
            SessionPhase.Draining(
                end: end, limit: end.stopped?.advanced(by: drainPatience),
                watch: StallWatch(since: now, bytes: deliveredBytes, patience: options.drainTimeout),
                nextLook: now.advanced(by: Self.lookInterval)))
    }

    /// A stop after the source's end shortens the wait.
    mutating func stop(at now: MonotonicTime) {
        guard case .draining(var draining) = phase, draining.limit == nil else { return }
        draining.limit = now.advanced(by: drainPatience)
        phase = .draining(draining)
    }

    /// After a stop a third of the time is kept for the goodbye.
    private var drainPatience: Duration { options.stopPatience * 2 / 3 }

    /// Until when a goodbye that begins now may take.
    func goodbyeLimit(at now: MonotonicTime) -> MonotonicTime {
        let limit = now.advanced(by: options.finishTimeout)
        guard case .draining(let draining) = phase, let stopped = draining.limit else { return limit }
        return min(limit, stopped.advanced(by: options.stopPatience - drainPatience))
    }

    mutating func cancel(_ actions: inout Actions) {
        guard !phase.hasEnded else { return }
        if let number = connection?.number { actions.append(.close(.abruptly(number))) }
        end(.cancelled, nil, byItself: false, &actions)
    }

    /// Says goodbye when everything has arrived, or when nobody waits any longer.
    mutating func closeIfDone(at now: MonotonicTime, _ actions: inout Actions) {
        if case .draining(let draining) = phase {
            let isOver = draining.limit.map { $0 <= now } ?? false
            // A receiver that is away gets no more of a live stream, nor of one that was stopped.
            let isInVain = connection == nil && (!isReliable || draining.limit != nil)
            let isQuiet = connection.map { $0.notices.isEmpty && $0.turn == .free } ?? true
            if frames.isDrained && isQuiet || isOver || isInVain { closeAfterDraining(draining.end, at: now, &actions) }
        }
        if let limit = returnLimit, limit <= now {
            let error = breakage ?? FrameStreamingError(.connectionLost, "the receiver did not come back")
            end(.of(error), error, byItself: true, &actions)
        }
    }

    private mutating func closeAfterDraining(_ end: SourceEnd, at now: MonotonicTime, _ actions: inout Actions) {
        let isStopped = end.stopped != nil
        guard let connection else {
            // Nobody to say goodbye to. A live stream that is ended while its receiver is away has lost nothing by that.
            let error = isStopped && !isReliable ? nil : breakage
            return self.end(
                error.map { .of($0) } ?? (isStopped ? .cancelled : .bye), error, byItself: false, &actions)
        }
        let limit = goodbyeLimit(at: now)
        phase = .closing(
            SessionPhase.Closing(outcome: nil, goodEnd: isStopped ? .cancelled : connection.goodEnd))
        actions.append(.close(.saying(end.goodbye, over: connection.number, until: limit)))
    }

    // MARK: Goodbyes

    /// Ends with a goodbye whose answer changes nothing. What has not arrived by now is counted as lost.
    mutating func close(
        _ outcome: StreamEnd, _ error: FrameStreamingError?, saying goodbye: Goodbye, at now: MonotonicTime,
        _ actions: inout Actions
    ) {
        guard let connection else { return end(outcome, error, byItself: true, &actions) }
        failure = error
        frames.end()
        let limit = goodbyeLimit(at: now)
        phase = .closing(SessionPhase.Closing(outcome: outcome, goodEnd: outcome))
        actions.append(.close(.saying(goodbye, over: connection.number, until: limit)))
    }

    mutating func noteGoodbye(_ number: ConnectionNumber, _ error: FrameStreamingError?, _ actions: inout Actions) {
        guard case .closing(let closing) = phase, connection?.number == number else { return }
        if let outcome = closing.outcome {
            end(outcome, failure, byItself: true, &actions)
        } else if let error, !frames.isDrained {
            // What was acknowledged until now counts; a goodbye without an answer matters where something is missing.
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

    /// The source waits for room since `start`.
    mutating func look(
        since start: MonotonicTime, deliveredBytes: UInt64?, at now: MonotonicTime, _ actions: inout Actions
    ) {
        guard phase.isOpen, !phase.isDraining, !hasRoom else { return }
        var current = watch ?? StallWatch(since: start, bytes: deliveredBytes, patience: options.stallTimeout)
        let mayRest = connection?.isPaused == true
        let progress = StallWatch.Progress(time: lastProgress, bytes: deliveredBytes)
        let verdict = current.look(progress, mayRest: mayRest, at: now)
        watch = current
        guard case .givenUp(let quiet) = verdict else { return report(verdict, &actions) }
        giveUp(after: quiet, "SenderOptions.stallTimeout", at: now, &actions)
    }

    mutating func lookWhileDraining(deliveredBytes: UInt64?, at now: MonotonicTime, _ actions: inout Actions) {
        guard case .draining(var draining) = phase, draining.nextLook <= now else { return }
        draining.nextLook = now.advanced(by: Self.lookInterval)
        let progress = StallWatch.Progress(time: lastProgress, bytes: deliveredBytes)
        let verdict = draining.watch.look(progress, at: now)
        phase = .draining(draining)
        guard case .givenUp(let quiet) = verdict else { return report(verdict, &actions) }
        if isReliable {
            giveUp(after: quiet, "SenderOptions.drainTimeout", at: now, &actions)
        } else {
            closeAfterDraining(draining.end, at: now, &actions)
        }
    }

    private mutating func report(_ verdict: StallWatch.Verdict, _ actions: inout Actions) {
        guard case .waits(let quiet, let left) = verdict,
            stallWords.isDue(quiet, acknowledged: frames.progress.acknowledged)
        else { return }
        actions.append(.report(.stalled(quiet, givesUpAfter: left)))
    }

    /// Ends a session whose receiver has made no progress for as long as it may.
    private mutating func giveUp(
        after quiet: Duration, _ option: String, at now: MonotonicTime, _ actions: inout Actions
    ) {
        let seconds = quiet.components.seconds
        let what = connection == nil ? "the receiver was away" : "the receiver acknowledged nothing"
        let why = connection == nil ? breakage.map { " (\($0.message))" } : nil
        let error = FrameStreamingError(
            .timedOut, "\(what) for \(seconds) s and is given up\(why ?? ""): see to it, or wait longer (\(option))")
        close(
            .of(error), error, saying: .failed("given up: the sender waited for too long"), at: now, &actions)
    }

    /// Until when a receiver is waited for that connects by itself.
    var returnLimit: MonotonicTime? {
        guard case .byReceiver(let patience?) = connecting, needsConnection, frames.progress.connections > 0 else {
            return nil
        }
        return lostAt.advanced(by: patience)
    }

    /// When to call with ``SessionEvent/tick(deliveredBytes:)`` although nothing else has happened; nil = nothing depends on the time.
    var wakeAt: MonotonicTime? {
        var wakeAt = frames.flow.wakeAt
        if let limit = returnLimit { wakeAt = min(wakeAt ?? limit, limit) }
        if case .draining(let draining) = phase {
            let look = min(draining.nextLook, draining.limit ?? draining.nextLook)
            wakeAt = min(wakeAt ?? look, look)
        }
        return wakeAt
    }
}
