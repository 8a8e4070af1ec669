internal import FrameStreamingSystem

/// How long a receiver that stands still is waited for.
extension SenderOutlet {
    /// How long it may stand still while the source waits for it; nil = for ever.
    var stallPatience: Duration? { options.stallTimeout ?? (isIncoming ? options.incomingStallTimeout : nil) }

    /// What decides it.
    var stallRemedy: String {
        options.stallTimeout == nil && isIncoming
            ? "SenderOptions.incomingStallTimeout" : "SenderOptions.stallTimeout"
    }

    /// The same once the source has ended.
    var drainPatience: Duration? {
        guard isIncoming, let incoming = options.incomingStallTimeout else { return options.drainTimeout }
        return options.drainTimeout.map { min($0, incoming) } ?? incoming
    }

    /// How long a receiver that came by itself may stay away after a break; nil = for ever.
    var returnPatience: Duration? { isIncoming ? options.incomingReturnTimeout : options.drainTimeout }

    /// Begins to look, from `start` on.
    func watch(since start: MonotonicTime, patience: Duration?) -> StallWatch {
        let transport = state.withLock { $0.live?.transport }
        return StallWatch(since: start, bytes: (transport as? any DeliveryProgress)?.deliveredBytes, patience: patience)
    }

    /// Looks at a receiver that is waited for, says so when it stands still, and returns the reason to give it up when it has for too long.
    ///
    /// - Parameters:
    ///   - mayPause: Whether one that asked for a pause may take as long as it likes.
    ///   - remedy: The option that decides how long.
    func look(with watch: inout StallWatch, mayPause: Bool, remedy: String) -> FrameStreamingError? {
        let (time, transport, isPaused, peer, breakage) = state.withLock { state in
            (state.lastProgress, state.live?.transport, state.flow.isPaused, state.peer, state.breakage)
        }
        let progress = StallWatch.Progress(time: time, bytes: (transport as? any DeliveryProgress)?.deliveredBytes)
        // A listener without a receiver waits for the next one, whoever that is.
        let isListening = transport == nil && connector?.isListening == true
        switch watch.look(progress, mayRest: mayPause && isPaused && transport != nil || isListening, at: .now) {
        case .waits(let quiet, let left):
            let isDue = state.withLock { $0.stallWords.isDue(quiet, acknowledged: $0.progress.acknowledged) }
            if isDue { options.onEvent?(.stalled(transport?.peer ?? peer, quiet, givesUpAfter: left)) }
            return nil
        case .givenUp(let quiet):
            let seconds = quiet.components.seconds
            let what = transport == nil ? "the receiver was away" : "the receiver acknowledged nothing"
            let why = transport == nil ? breakage.map { " (\($0.message))" } : nil
            return FrameStreamingError(
                .timedOut,
                "\(what) for \(seconds) s and is given up\(why ?? ""): see to it, or wait longer (\(remedy))",
                subject: peer.address)
        }
    }

    /// Ends what goes to this receiver, so that nobody waits for it any more. Returns how to tell it so, which waits until it has heard;
    /// nil where it has ended already.
    func giveUp(_ reason: FrameStreamingError) -> (@Sendable (Deadline) -> Void)? {
        // Its place is for the next one that connects.
        if connector?.isListening == true, options.reconnection != .never {
            if let live = state.withLock({ $0.live }) { lose(live, reason) }
            return nil
        }
        let transport: (any Transport)?? = state.update { state in
            guard state.end == nil, !state.isFinishing else { return nil }
            // The connection is for the goodbye to close.
            state.isFinishing = true
            return .some(state.live?.transport)
        }
        guard let transport else { return nil }
        endByItself(.of(reason), reason)
        return { [self] deadline in
            guard let transport else { return }
            try? sayGoodbye(.failed("given up: the sender waited for too long"), over: transport, until: deadline)
            transport.close()
        }
    }
}
