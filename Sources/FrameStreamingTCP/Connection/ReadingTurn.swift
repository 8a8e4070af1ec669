internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The right to read from a connection. At most one thread has it.
///
/// The turn cannot be forgotten: it ends when the value's life does. What reads takes the turn as
/// an argument, so the compiler shows that nothing reads without it.
struct ReadingTurn: ~Copyable {
    private let state: ConnectionState

    /// Needs the turn to have been taken in `state`'s ``ReadingState``.
    fileprivate init(taken state: ConnectionState) { self.state = state }

    deinit { state.change { $0.reading.isTaken = false } }
}

/// Whether a thread has the turn to read, and what was read on behalf of another thread.
struct ReadingState {
    fileprivate var isTaken = false
    /// Messages that `finish` has read, for the thread in `receive`.
    fileprivate var kept: [Message] = []
}

extension ConnectionState.State {
    fileprivate mutating func takeTurn() -> Bool {
        if reading.isTaken || isClosed || failure != nil { return false }
        reading.isTaken = true
        return true
    }
}

extension ConnectionState {
    /// How long a goodbye waits at most for the peer to close, once both sides have said theirs.
    private static let drainTime = Duration.seconds(2)

    /// More than any window. If no thread is in `receive`, messages beyond this are dropped.
    private static let mostKept = 1024

    /// The next message for the thread in `receive`: one that `finish` has read before, or what
    /// `body` reads in its turn.
    ///
    /// - Returns: Nil once the peer has ended the connection cleanly. That stays so after a close.
    /// - Throws: What ended the connection, which every later call throws as well.
    func reading(
        until deadline: Deadline, _ body: (borrowing ReadingTurn) throws(FrameStreamingError) -> Message?
    ) throws(FrameStreamingError) -> Message? {
        // Nearly always the turn is free and nothing is kept. Then no message passes through the
        // wait.
        if changeQuietly({ $0.reading.kept.isEmpty && !$0.hasEnded && $0.takeTurn() }) { return try inTurn(body) }
        enum Next { case message(Message), ended, turn }
        let next = try wait(until: deadline, for: "another thread's receive") { state -> Next? in
            if !state.reading.kept.isEmpty { return .message(state.reading.kept.removeFirst()) }
            if state.hasEnded { return .ended }
            return state.takeTurn() ? .turn : nil
        }
        switch next {
        case .message(let message): return message
        case .ended: return nil
        case .turn: return try inTurn(body)
        }
    }

    /// As ``reading(until:_:)``, for a thread that takes everything that has arrived, without
    /// waiting for more.
    ///
    /// - Parameter body: Reads in its turn, and says what the connection waits for now; nil when
    ///   the peer has ended it.
    func readingArrived(
        into messages: inout [Message],
        _ body: (borrowing ReadingTurn, inout [Message]) throws(FrameStreamingError) -> WatchedNeeds?
    ) throws(FrameStreamingError) -> WatchedNeeds? {
        let hasEnded = try wait(until: .never, for: "another thread's receive") { state -> Bool? in
            messages += state.reading.kept
            state.reading.kept = []
            if state.hasEnded { return true }
            return state.takeTurn() ? false : nil
        }
        if hasEnded { return nil }
        let needs = try inTurn { (turn: borrowing ReadingTurn) throws(FrameStreamingError) in
            try body(turn, &messages)
        }
        return look { $0.hasEnded } ? nil : needs
    }

    /// Waits until `isSettled`. While no other thread reads, this one does, and keeps what it reads
    /// for the thread in `receive`, which may be busy with the message before.
    func await(
        until deadline: Deadline, for what: String, _ isSettled: @escaping (State) -> Bool,
        reading body: (borrowing ReadingTurn) throws(FrameStreamingError) -> Message?
    ) throws(FrameStreamingError) {
        while true {
            let settled = try wait(until: deadline, for: what) { state -> Bool? in
                if isSettled(state) { return true }
                return state.takeTurn() ? false : nil
            }
            if settled { return }
            let _: Message? = try inTurn { (turn: borrowing ReadingTurn) throws(FrameStreamingError) in
                guard let message = try body(turn) else { return nil }
                // Within the turn: the next reader must find this before it reads on.
                change { state in
                    if state.reading.kept.count < Self.mostKept { state.reading.kept.append(message) }
                }
                return nil
            }
        }
    }

    /// Runs `body` in a turn that was taken for it, and keeps the error that ended the connection.
    private func inTurn<Value>(
        _ body: (borrowing ReadingTurn) throws(FrameStreamingError) -> Value?
    ) throws(FrameStreamingError) -> Value? {
        let turn = ReadingTurn(taken: self)
        do throws(FrameStreamingError) {
            return try body(turn)
        } catch {
            if error.code == .closed, look({ $0.hasEnded }) { return nil }
            throw keep(error, turn)
        }
    }

    /// Keeps the error for the reader that has the next turn. The first one counts: another thread
    /// may have noted why it closed the connection, and here it was merely closed.
    private func keep(_ error: FrameStreamingError, _ turn: borrowing ReadingTurn) -> FrameStreamingError {
        if error.code == .timedOut { return error }
        var first = error
        change { state in
            first = state.failure ?? error
            state.failure = first
        }
        return first
    }

    /// Reads to the end of the peer's bytes and drops them. A close with bytes unread would reset
    /// the connection, and the last bytes of this side could be lost with it.
    ///
    /// It reports no error: both sides have said goodbye.
    func drain(_ channel: Channel, _ writer: MessageWriter, until deadline: Deadline) {
        let deadline = deadline.earlier(.after(Self.drainTime))
        let isMine: Bool? = try? wait(until: deadline, for: "another thread's receive") { state -> Bool? in
            state.takeTurn() ? true : nil
        }
        guard isMine == true else { return }
        drain(ReadingTurn(taken: self), channel, writer, until: deadline)
    }

    private func drain(
        _ turn: borrowing ReadingTurn, _ channel: Channel, _ writer: MessageWriter, until deadline: Deadline
    ) {
        var scratch = InputBuffer()
        while true {
            let count = try? scratch.fill { bytes throws(FrameStreamingError) in
                try channel.read(into: &bytes, until: deadline.nanoseconds, driving: writer)
            }
            guard let count, count > 0 else { return }
            _ = scratch.drop(upTo: count)
        }
    }
}
