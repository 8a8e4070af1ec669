internal import FrameStreamingCore
internal import FrameStreamingSystem

/// What a receiving side knows of the sessions that it has consumed of: how many frames, and which connection a session has now.
///
/// A session that nobody uses may be forgotten for others, see ``SessionTable/Standing``.
///
/// A session has one connection at a time. When it comes back while the connection before it is not done, that one is severed, and
/// the new one waits until its consumer has got through what had arrived: so order holds, and nothing is consumed twice.
final class SessionMemory: Sendable {
    private struct Entry {
        /// Frames of the session that the consumer got through, with any outcome.
        var consumed: UInt64
        /// The last connection, also when it is done.
        var use: UInt64 = 0
        /// Who waits to be the next one; the last who asked counts.
        var claimant: UInt64 = 0
        /// Whether the last connection has frames that its consumer may still take.
        var isInUse = false
        /// Lets nothing more into the last connection.
        var sever: (@Sendable () -> Void)?
        /// Whether something was consumed here: what the owner's own memory does not know.
        var hasNews = false
        /// Whether the sender ended the last connection with a goodbye.
        var hasEnded = false

        /// Nobody has it or waits for it.
        var isIdle: Bool { !isInUse && use == claimant }
        var standing: SessionTable<Entry>.Standing { !hasNews ? .untouched : hasEnded ? .ended : .broken }
    }

    private struct State {
        var sessions = SessionTable<Entry>(capacity: SessionMemory.fewest)
        var last: UInt64
        var claims: UInt64 = 0
        var isClosed = false

        /// Puts a session that nobody has or waits for where its standing says; others may be forgotten for it.
        mutating func settle(_ session: UInt64) {
            guard let entry = sessions[session], entry.isIdle else { return }
            sessions.release(session, as: entry.standing)
        }
    }

    private let state: Monitor<State>
    private let before: @Sendable (UInt64) -> UInt64

    /// Sessions without a connection that are remembered at least, in less than 200 bytes each.
    static let fewest = 1024
    /// How long a session that came back waits for the consumer of its connection before.
    static let patience = Duration.seconds(3)

    /// - Parameters:
    ///   - last: The session that was consumed of last, before there was this memory; 0 = none.
    ///   - before: How many frames of a session were consumed that this does not know.
    init(last: UInt64, before: @escaping @Sendable (UInt64) -> UInt64) {
        state = Monitor(State(last: last))
        self.before = before
    }

    /// The session that was consumed of last; 0 = none.
    var last: UInt64 { state.withLock { $0.last } }

    /// At least so many are to be remembered: as many streams may break at once as there are connections.
    func remember(atLeast count: Int) {
        state.withLock { $0.sessions.capacity = max($0.sessions.capacity, count) }
    }

    /// A session's next connection, once the one before is done; nil for session 0, which is none.
    ///
    /// - Parameter base: How many frames of it the connection takes as consumed, where the sender has said so.
    /// - Throws: `busy` when the consumer of the connection before is not done in time, or the session has come once more meanwhile;
    ///   `closed`.
    func claim(
        _ session: UInt64, from base: UInt64? = nil, until deadline: Deadline
    ) throws(FrameStreamingError) -> SessionUse? {
        guard session != 0 else { return nil }
        let (number, sever) = enter(session)
        sever?()
        enum Outcome { case mine(UInt64), overtaken, closed }
        let limit = deadline.earlier(.after(Self.patience))
        let outcome: Outcome? = state.wait(until: limit.nanoseconds) { state in
            if state.isClosed { return .closed }
            guard let entry = state.sessions[session], entry.claimant == number else { return .overtaken }
            if entry.isInUse { return nil }
            state.sessions.change(session) { entry in
                entry.isInUse = true
                entry.use = number
                entry.hasEnded = false
            }
            state.last = session
            return .mine(entry.consumed)
        }
        if case .mine(let consumed) = outcome {
            return SessionUse(self, session: session, number: number, base: base ?? consumed)
        }
        state.update { state in
            // Who gave up is no claimant any more.
            guard state.sessions[session]?.claimant == number else { return }
            state.sessions.change(session) { $0.claimant = $0.use }
            state.settle(session)
        }
        switch outcome {
        case .closed: throw .closedListener
        case .overtaken: throw FrameStreamingError(.busy, "the stream has come once more, on a later connection")
        default:
            throw FrameStreamingError(
                .busy, "frames of the stream's connection before are still being consumed: try again in a moment")
        }
    }

    /// Takes a place among those who want the session: its number, and what lets nothing more into the connection that has it.
    private func enter(_ session: UInt64) -> (number: UInt64, sever: (@Sendable () -> Void)?) {
        var consumedBefore: UInt64?
        while true {
            let place: (UInt64, (@Sendable () -> Void)?)? = state.update { state in
                if state.sessions[session] == nil {
                    guard let consumedBefore else { return nil }
                    state.sessions.hold(session, orInsert: Entry(consumed: consumedBefore))
                } else {
                    state.sessions.hold(session, orInsert: Entry(consumed: 0))
                }
                state.claims += 1
                let number = state.claims
                let sever = state.sessions.change(session) { entry in
                    entry.claimant = number
                    return entry.isInUse ? entry.sever : nil
                }
                return (number, sever ?? nil)
            }
            if let place { return place }
            // The owner's own memory: not under the lock.
            consumedBefore = before(session)
        }
    }

    /// Lets nothing more into the session's connection, where it has one: its sender has come back without it.
    ///
    /// - Returns: Whether it had one.
    func sever(_ session: UInt64) -> Bool {
        let sever = state.withLock { state in state.sessions[session].flatMap { $0.isInUse ? $0.sever : nil } }
        sever?()
        return sever != nil
    }

    /// For tests: waits until there were so many claims.
    func waitForClaims(_ count: UInt64) {
        let _: Bool? = state.wait(until: nil) { $0.claims >= count ? true : nil }
    }

    /// For tests: whether a session is known that nobody has.
    func isIdle(_ session: UInt64) -> Bool { state.withLock { $0.sessions[session]?.isIdle ?? false } }

    /// Ends every wait.
    func close() { state.update { $0.isClosed = true } }

    /// So many frames of the session were consumed, unless a later connection has taken it over.
    fileprivate func note(_ consumed: UInt64, _ use: SessionUse) {
        state.withLock { state in
            let isNews: Bool? = state.sessions.change(use.session) { entry in
                guard entry.use == use.number else { return false }
                entry.consumed = max(entry.consumed, consumed)
                defer { entry.hasNews = true }
                return !entry.hasNews
            }
            if isNews == true { state.settle(use.session) }
        }
    }

    fileprivate func attach(_ sever: @escaping @Sendable () -> Void, _ use: SessionUse) {
        let isOvertaken: Bool? = state.withLock { state in
            state.sessions.change(use.session) { entry in
                guard entry.use == use.number, entry.isInUse else { return true }
                entry.sever = sever
                return entry.claimant != use.number
            }
        }
        if isOvertaken ?? true { sever() }
    }

    fileprivate func end(_ use: SessionUse, goodbye: Bool) {
        state.update { state in
            let isMine: Bool? = state.sessions.change(use.session) { entry in
                guard entry.use == use.number, entry.isInUse else { return false }
                entry.isInUse = false
                entry.sever = nil
                entry.hasEnded = goodbye
                return true
            }
            if isMine == true { state.settle(use.session) }
        }
    }
}

/// A connection's hold on its session, until it ends, or nobody has it any more.
final class SessionUse: Sendable {
    let session: UInt64
    /// Frames of the session that were consumed before this connection.
    let base: UInt64
    fileprivate let number: UInt64
    private let memory: SessionMemory

    fileprivate init(_ memory: SessionMemory, session: UInt64, number: UInt64, base: UInt64) {
        self.memory = memory
        self.session = session
        self.number = number
        self.base = base
    }

    deinit { end() }

    /// The consumer got through a frame of this connection, with any outcome. Counts after the end, too, until there is a later connection.
    func consumed(_ sequence: UInt64) {
        let (sum, overflow) = base.addingReportingOverflow(sequence)
        memory.note(overflow ? .max : sum, self)
    }

    /// What lets nothing more in when the session comes back; at once, if it has come back already.
    func onReturn(_ sever: @escaping @Sendable () -> Void) { memory.attach(sever, self) }

    /// The consumer takes no more of this connection's frames.
    ///
    /// - Parameter goodbye: Whether the sender said goodbye: then nobody will come back for the session.
    func end(goodbye: Bool = false) { memory.end(self, goodbye: goodbye) }
}
