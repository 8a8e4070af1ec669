internal import FrameStreamingCore
internal import FrameStreamingSystem

/// What a receiving side knows of the sessions that it has consumed of: how many frames, and which connection a session has now.
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
        /// When it was last needed, counted in claims.
        var touched: UInt64 = 0
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var last: UInt64
        var claims: UInt64 = 0
        var isClosed = false
    }

    private let state: Monitor<State>
    private let before: @Sendable (UInt64) -> UInt64

    /// Sessions without a connection that are remembered.
    static let longest = 64
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

    /// A session's next connection, once the one before is done; nil for session 0, which is none.
    ///
    /// - Parameter base: How many frames of it the connection takes as consumed, where the sender has said so.
    /// - Throws: `busy` when the consumer of the connection before is not done in time, or the session has come once more meanwhile;
    ///   `closed`.
    func claim(
        _ session: UInt64, from base: UInt64? = nil, until deadline: Deadline
    ) throws(FrameStreamingError) -> SessionUse? {
        guard session != 0 else { return nil }
        let isKnown = state.withLock { $0.entries[session] != nil }
        // The owner's own memory: not under the lock.
        let consumedBefore = isKnown ? 0 : before(session)
        let (number, sever) = state.update { state in
            state.claims += 1
            let number = state.claims
            var entry = state.entries[session] ?? Entry(consumed: consumedBefore)
            entry.claimant = number
            entry.touched = number
            let sever = entry.isInUse ? entry.sever : nil
            state.entries[session] = entry
            return (number, sever)
        }
        sever?()
        enum Outcome { case mine(UInt64), overtaken, closed }
        let limit = deadline.earlier(.after(Self.patience))
        let outcome: Outcome? = state.wait(until: limit.nanoseconds) { state in
            if state.isClosed { return .closed }
            guard var entry = state.entries[session], entry.claimant == number else { return .overtaken }
            if entry.isInUse { return nil }
            entry.isInUse = true
            entry.use = number
            state.entries[session] = entry
            state.last = session
            Self.forget(&state)
            return .mine(entry.consumed)
        }
        if case .mine(let consumed) = outcome {
            return SessionUse(self, session: session, number: number, base: base ?? consumed)
        }
        state.update { state in
            // Who gave up is no claimant any more.
            guard let use = state.entries[session]?.use, state.entries[session]?.claimant == number else { return }
            state.entries[session]?.claimant = use
        }
        switch outcome {
        case .closed: throw .closedListener
        case .overtaken: throw FrameStreamingError(.busy, "the stream has come once more, on a later connection")
        default:
            throw FrameStreamingError(
                .busy, "frames of the stream's connection before are still being consumed: try again in a moment")
        }
    }

    /// Lets nothing more into the session's connection, where it has one: its sender has come back without it.
    ///
    /// - Returns: Whether it had one.
    func sever(_ session: UInt64) -> Bool {
        let sever = state.withLock { state in state.entries[session].flatMap { $0.isInUse ? $0.sever : nil } }
        sever?()
        return sever != nil
    }

    /// Room for others: of the sessions that nobody uses or waits for, those go that were not needed for longest.
    private static func forget(_ state: inout State) {
        let idle = state.entries.filter { !$0.value.isInUse && $0.value.use == $0.value.claimant }
        guard idle.count > longest else { return }
        for (session, _) in idle.sorted(by: { $0.value.touched < $1.value.touched }).prefix(idle.count - longest) {
            state.entries[session] = nil
        }
    }

    /// For tests: waits until there were so many claims.
    func waitForClaims(_ count: UInt64) {
        let _: Bool? = state.wait(until: nil) { $0.claims >= count ? true : nil }
    }

    /// Ends every wait.
    func close() { state.update { $0.isClosed = true } }

    /// So many frames of the session were consumed, unless a later connection has taken it over.
    fileprivate func note(_ consumed: UInt64, _ use: SessionUse) {
        state.withLock { state in
            guard let entry = state.entries[use.session], entry.use == use.number else { return }
            state.entries[use.session]?.consumed = max(entry.consumed, consumed)
        }
    }

    fileprivate func attach(_ sever: @escaping @Sendable () -> Void, _ use: SessionUse) {
        let isOvertaken = state.withLock { state in
            guard let entry = state.entries[use.session], entry.use == use.number, entry.isInUse else { return true }
            state.entries[use.session]?.sever = sever
            return entry.claimant != use.number
        }
        if isOvertaken { sever() }
    }

    fileprivate func end(_ use: SessionUse) {
        state.update { state in
            guard let entry = state.entries[use.session], entry.use == use.number else { return }
            state.entries[use.session]?.isInUse = false
            state.entries[use.session]?.sever = nil
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
    func end() { memory.end(self) }
}
