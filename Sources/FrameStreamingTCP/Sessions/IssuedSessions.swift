internal import FrameStreamingSystem

/// The sessions that a listening sender has given to its receivers. By its session a receiver is
/// recognized when it connects again.
///
/// At least ``SessionMemory/fewest`` sessions of disconnected receivers are remembered. Those
/// without an acknowledged frame are forgotten first.
final class IssuedSessions: Sendable {
    private struct State {
        var table = SessionTable<Issued>(capacity: SessionMemory.fewest)
    }

    private struct Issued {
        /// The number of its connections. Two for a moment, if a receiver is back before the end of
        /// its old connection was noticed.
        var users = 0
        var hasAcknowledged = false
    }

    private let state = Monitor(State())

    /// Sets the least number of sessions to remember beside those in use.
    func remember(atLeast count: Int) {
        state.withLock { $0.table.capacity = max($0.table.capacity, count) }
    }

    /// The session for a receiver that names `claimed`: that one if it was issued here, else a new
    /// one.
    func session(claimed: UInt64) -> UInt64 {
        state.withLock { state in
            if claimed != 0, state.table[claimed] != nil { return claimed }
            let fresh = UInt64.random(in: 1 ... .max)
            state.table.hold(fresh, orInsert: Issued())
            state.table.release(fresh, as: .untouched)
            return fresh
        }
    }

    /// Holds a session for a connection. A session that was forgotten since the handshake is added
    /// again.
    func hold(_ session: UInt64) -> IssuedSession {
        state.withLock { state in
            state.table.hold(session, orInsert: Issued())
            state.table.change(session) { $0.users += 1 }
        }
        return IssuedSession(self, session)
    }

    fileprivate func noteAcknowledgement(_ session: UInt64) {
        state.withLock { _ = $0.table.change(session) { $0.hasAcknowledged = true } }
    }

    fileprivate func letGo(_ session: UInt64) {
        state.withLock { state in
            let hasAcknowledged: Bool?? = state.table.change(session) { issued in
                issued.users -= 1
                return issued.users == 0 ? issued.hasAcknowledged : nil
            }
            guard let hasAcknowledged = hasAcknowledged ?? nil else { return }
            state.table.release(session, as: hasAcknowledged ? .broken : .untouched)
        }
    }
}

/// Keeps a receiver's session from being forgotten as long as its connection lives.
final class IssuedSession: Sendable {
    private let issued: IssuedSessions
    private let session: UInt64
    private let state = Monitor((hasAcknowledged: false, hasEnded: false))

    fileprivate init(_ issued: IssuedSessions, _ session: UInt64) {
        self.issued = issued
        self.session = session
    }

    deinit { end() }

    /// Notes that the receiver has acknowledged a frame: it may come back for the next ones.
    func noteAcknowledgement() {
        let isFirst = state.withLock { state in
            defer { state.hasAcknowledged = true }
            return !state.hasAcknowledged && !state.hasEnded
        }
        if isFirst { issued.noteAcknowledgement(session) }
    }

    /// Releases the session, because the connection has ended.
    func end() {
        let isFirst = state.withLock { state in
            defer { state.hasEnded = true }
            return !state.hasEnded
        }
        if isFirst { issued.letGo(session) }
    }
}
