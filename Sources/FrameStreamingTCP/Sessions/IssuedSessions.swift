internal import FrameStreamingSystem

/// The sessions that a listening sender has given its receivers: one for each, by which it is known when it comes back.
///
/// At least ``SessionMemory/fewest`` receivers that have gone are known, first of all those that acknowledged something.
final class IssuedSessions: Sendable {
    private struct State {
        var table = SessionTable<Issued>(capacity: SessionMemory.fewest)
    }

    private struct Issued {
        /// Connections that have it: two for a moment, when a receiver is back before its old connection's end was noticed.
        var users = 0
        var hasAcknowledged = false
    }

    private let state = Monitor(State())

    /// At least so many are to be known beside those in use.
    func remember(atLeast count: Int) {
        state.withLock { $0.table.capacity = max($0.table.capacity, count) }
    }

    /// The session of a receiver that says it consumed of `claimed`: that one where it was given out here, else a new one.
    func session(claimed: UInt64) -> UInt64 {
        state.withLock { state in
            if claimed != 0, state.table[claimed] != nil { return claimed }
            let fresh = UInt64.random(in: 1 ... .max)
            state.table.hold(fresh, orInsert: Issued())
            state.table.release(fresh, as: .untouched)
            return fresh
        }
    }

    /// A connection's hold on its session. One that was forgotten since the handshake is known again.
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

/// Keeps a receiver's session known as long as its connection lives.
final class IssuedSession: Sendable {
    private let issued: IssuedSessions
    private let session: UInt64
    private let state = Monitor((hasAcknowledged: false, hasEnded: false))

    fileprivate init(_ issued: IssuedSessions, _ session: UInt64) {
        self.issued = issued
        self.session = session
    }

    deinit { end() }

    /// The receiver has acknowledged a frame: it may come back for the others.
    func noteAcknowledgement() {
        let isFirst = state.withLock { state in
            defer { state.hasAcknowledged = true }
            return !state.hasAcknowledged && !state.hasEnded
        }
        if isFirst { issued.noteAcknowledgement(session) }
    }

    /// The connection has ended.
    func end() {
        let isFirst = state.withLock { state in
            defer { state.hasEnded = true }
            return !state.hasEnded
        }
        if isFirst { issued.letGo(session) }
    }
}
