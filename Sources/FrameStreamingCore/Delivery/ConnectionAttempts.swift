/// When a link tries to connect again: `(event, now) -> next attempt`.
struct ConnectionAttempts: Sendable {
    /// What comes after an attempt that failed.
    enum Next: Hashable, Sendable {
        /// The same again: no receiver connected to a listener, which is no failure.
        case again
        /// Another attempt after this wait, which is reported to the user.
        case after(Duration)
        /// It will be the same next time.
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

    /// An attempt that began at `start` failed.
    mutating func failed(_ error: FrameStreamingError, since start: MonotonicTime, at now: MonotonicTime) -> Next {
        if waitsForPeers, error.code == .timedOut { return .again }
        let isOfOnePeer = waitsForPeers && error.isOfOnePeer
        guard isOfOnePeer || error.isTransient && reconnection != .never else { return .never }
        // A whole attempt's time was waited already.
        let hasWaited = error.code == .timedOut && start.advanced(by: Self.longest / 2) <= now
        return .after(hasWaited ? .zero : delay.next())
    }

    /// A connection that began at `start` is gone. Returns how long to wait before the next
    /// attempt; nil = not at all.
    ///
    /// A peer that takes connections and breaks them is not asked as fast as it breaks them.
    mutating func lost(since start: MonotonicTime, at now: MonotonicTime) -> Duration? {
        if start.advanced(by: ReconnectDelay.healthy) <= now {
            delay.reset()
            return nil
        }
        return waitsForPeers ? nil : delay.next()
    }
}
