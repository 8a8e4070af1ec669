/// When a link tries to connect again: `(event, now) -> next attempt`.
struct ConnectionAttempts: Sendable {
    /// What follows a failed attempt.
    enum Next: Hashable, Sendable {
        /// Another attempt at once: no receiver connected to a listener, which is no failure.
        case again
        /// Another attempt after this wait, which is reported to the user.
        case after(Duration)
        /// No further attempt, because it would fail in the same way.
        case never
    }

    /// How long one attempt may take.
    static let longest = Duration.seconds(10)

    let waitsForPeers: Bool
    let reconnection: Reconnection
    private var delay = ReconnectDelay()

    init(waitsForPeers: Bool, reconnection: Reconnection) {
        self.waitsForPeers = waitsForPeers
        self.reconnection = reconnection
    }

    /// Notes that an attempt that began at `start` failed.
    mutating func failed(_ error: FrameStreamingError, since start: MonotonicTime, at now: MonotonicTime) -> Next {
        if waitsForPeers, error.code == .timedOut { return .again }
        let isOfOnePeer = waitsForPeers && error.isOfOnePeer
        guard isOfOnePeer || error.isTransient && reconnection != .never else { return .never }
        // The attempt itself has waited long enough.
        let hasWaited = error.code == .timedOut && start.advanced(by: Self.longest / 2) <= now
        return .after(hasWaited ? .zero : delay.next())
    }

    /// Notes that a connection that began at `start` is gone. Returns how long to wait before
    /// the next attempt; nil = no wait.
    ///
    /// Without a wait, a peer that accepts and breaks connections would be
    /// asked as fast as it breaks them.
    mutating func lost(since start: MonotonicTime, at now: MonotonicTime) -> Duration? {
        if start.advanced(by: ReconnectDelay.healthy) <= now {
            delay.reset()
            return nil
        }
        return waitsForPeers ? nil : delay.next()
    }
}
