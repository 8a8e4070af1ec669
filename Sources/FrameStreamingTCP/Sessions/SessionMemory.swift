internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Remembers the sessions of a receiving side: how many frames of each were consumed, and which
/// connection it has now.
///
/// A session without a connection may be forgotten for others, see ``SessionTable/Standing``.
///
/// A session has one connection at a time. If its sender connects again while the old connection is
/// in use, the old one is severed. The new one waits until the consumer has taken the frames that
/// had arrived there. So the order holds, and no frame is consumed twice.
final class SessionMemory: Sendable {
    private struct Entry {
        /// Frames of the session that were consumed, with any outcome.
        var consumed: UInt64
        /// The number of the last connection, also after its end.
        var use: UInt64 = 0
        /// The number of the connection that waits to be the next one. The latest request counts.
        var claimant: UInt64 = 0
        /// Whether the consumer may still take frames of the last connection.
        var isInUse = false
        /// Stops the last connection from receiving.
        var sever: (@Sendable () -> Void)?
        /// Whether frames were consumed here, which the program's own memory does not know.
        var hasNews = false
        /// Whether the sender ended the last connection with a goodbye.
        var hasEnded = false

        /// No connection has the session or waits for it.
        var isIdle: Bool { !isInUse && use == claimant }
        var standing: SessionTable<Entry>.Standing { !hasNews ? .untouched : hasEnded ? .ended : .broken }
    }

    private struct State {
        var sessions = SessionTable<Entry>(capacity: SessionMemory.fewest)
        var last: UInt64
        var claims: UInt64 = 0
        var isClosed = false

        /// Puts an idle session into the list of its standing. Others may be forgotten for it.
        mutating func settle(_ session: UInt64) {
            guard let entry = sessions[session], entry.isIdle else { return }
            sessions.release(session, as: entry.standing)
        }
    }

    private let state: Monitor<State>
    private let before: @Sendable (UInt64) -> UInt64

    /// The least number of sessions without a connection that are remembered, in less than 200
    /// bytes each.
    static let fewest = 1024
    /// How long a new connection waits for the consumer of the session's old one.
    static let patience = Duration.seconds(3)

    /// - Parameters:
    ///   - last: The session that was received last, before this memory was made; 0 = none.
    ///   - before: Returns how many frames of an unknown session were consumed.
    init(last: UInt64, before: @escaping @Sendable (UInt64) -> UInt64) {
        state = Monitor(State(last: last))
        self.before = before
    }

    /// The session that was received last; 0 = none.
    var last: UInt64 { state.withLock { $0.last } }

    /// Sets the least number of sessions to remember: as many streams may break at once as there
    /// are connections.
    func remember(atLeast count: Int) {
        state.withLock { $0.sessions.capacity = max($0.sessions.capacity, count) }
    }

    /// Takes a session for a new connection, once its old one is over; nil for session 0, which is
    /// none.
    ///
    /// - Parameter base: How many frames the connection takes as consumed, if the sender has said
    ///   so.
    /// - Throws: `busy` if the consumer of the old connection needs too long, or the sender
    ///   connects once more meanwhile; `closed`.
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
            // A connection that gave up waits no more.
            guard state.sessions[session]?.claimant == number else { return }
            state.sessions.change(session) { $0.claimant = $0.use }
            state.settle(session)
        }
        switch outcome {
        case .closed: throw .closedListener
        case .overtaken:
            throw FrameStreamingError(.busy, "the stream has a newer connection: the sender has connected once more")
        default:
            throw FrameStreamingError(
                .busy, "frames of the stream's old connection are still being consumed: try again in a moment")
        }
    }

    /// Requests the session for a new connection: the connection's number, and what severs the one
    /// that has the session.
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
            // This calls the program, so not under the lock.
            consumedBefore = before(session)
        }
    }

    /// Severs the session's connection, because its sender has connected again.
    ///
    /// - Returns: Whether the session had a connection.
    func sever(_ session: UInt64) -> Bool {
        let sever = state.withLock { state in state.sessions[session].flatMap { $0.isInUse ? $0.sever : nil } }
        sever?()
        return sever != nil
    }

    /// Waits until there were `count` claims. For tests.
    func waitForClaims(_ count: UInt64) {
        let _: Bool? = state.wait(until: nil) { $0.claims >= count ? true : nil }
    }

    /// Whether a session is known and has no connection. For tests.
    func isIdle(_ session: UInt64) -> Bool { state.withLock { $0.sessions[session]?.isIdle ?? false } }

    /// Ends every wait.
    func close() { state.update { $0.isClosed = true } }

    /// Notes how many frames of the session were consumed, unless a later connection has the
    /// session.
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

/// A connection's hold on its session. It ends with ``end(goodbye:)``, or with the object.
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

    /// Notes that a frame of this connection was consumed, with any outcome. That counts after the
    /// end as well, until there is a later connection.
    func consumed(_ sequence: UInt64) {
        let (sum, overflow) = base.addingReportingOverflow(sequence)
        memory.note(overflow ? .max : sum, self)
    }

    /// Sets what severs this connection when the sender connects again. It is called now if the
    /// sender has done so already.
    func onReturn(_ sever: @escaping @Sendable () -> Void) { memory.attach(sever, self) }

    /// Releases the session: the consumer takes no more frames of this connection.
    ///
    /// - Parameter goodbye: Whether the sender said goodbye, and so will not come back.
    func end(goodbye: Bool = false) { memory.end(self, goodbye: goodbye) }
}
