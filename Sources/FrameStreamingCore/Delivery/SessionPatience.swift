/// How long a session waits for a receiver without progress; nil = for as long as it takes.
struct SessionPatience: Sendable {
    /// While the source waits for it.
    let stall: Duration?
    /// The name of the option that sets it.
    let stallOption: String
    /// After the source's end.
    let drain: Duration?
    /// While a receiver is away that connects by itself.
    let away: Duration?
    /// After a stop, for frames that are queued and in flight.
    let drainAfterStop: Duration
    /// For the goodbye after that.
    private let goodbyeAfterStop: Duration
    /// For a goodbye at the source's end.
    private let goodbye: Duration

    init(_ options: SenderOptions, _ connecting: SessionConnecting) {
        let incoming = connecting.isIncoming ? options.incomingStallTimeout : nil
        stall = options.stallTimeout ?? incoming
        stallOption =
            options.stallTimeout == nil && connecting.isIncoming
            ? "SenderOptions.incomingStallTimeout" : "SenderOptions.stallTimeout"
        drain = [options.drainTimeout, incoming].compactMap(\.self).min()
        away = connecting.isIncoming ? options.incomingReturnTimeout : options.drainTimeout
        drainAfterStop = options.stopTimeout * 2 / 3
        goodbyeAfterStop = options.stopTimeout - drainAfterStop
        goodbye = options.finishTimeout
    }

    /// The failure of a receiver that should have connected again by itself.
    func stayedAway(after breakage: FrameStreamingError?) -> FrameStreamingError {
        let why = breakage ?? FrameStreamingError(.connectionLost, "the receiver left")
        let seconds = (away ?? .zero).components.seconds
        return FrameStreamingError(
            why.code, "\(why.message); it did not come back within \(seconds) s and is given up",
            subject: why.subject, errno: why.errno)
    }

    /// The failure of a receiver that made no progress for too long.
    ///
    /// - Parameters:
    ///   - option: The option that sets the time.
    ///   - address: The address of its connection; nil = it is away.
    ///   - breakage: Why it is away.
    func givenUp(
        after quiet: Duration, _ option: String, at address: String?, _ breakage: FrameStreamingError?
    ) -> FrameStreamingError {
        let seconds = quiet.components.seconds
        let what = address == nil ? "the receiver was away" : "the receiver acknowledged nothing"
        let why = address == nil ? breakage.map { " (\($0.message))" } : nil
        return FrameStreamingError(
            .timedOut, "\(what) for \(seconds) s and is given up\(why ?? ""): see to it, or wait longer (\(option))",
            subject: address)
    }

    /// Until when a goodbye that begins now may last.
    func goodbyeLimit(in phase: SessionPhase, at now: MonotonicTime) -> MonotonicTime {
        let limit = now.advanced(by: goodbye)
        guard case .draining(let draining) = phase, let drainLimit = draining.limit else { return limit }
        return min(limit, drainLimit.advanced(by: goodbyeAfterStop))
    }
}
