internal import FrameStreamingCore
internal import FrameStreamingSystem

/// How far a connection is, and which thread reads: at most one at a time does.
final class ConnectionState: Sendable {
    struct State {
        var isReading = false
        var isClosed = false
        var failure: FrameStreamingError?
        /// What the peer said at its end.
        var goodbye: Goodbye?
        /// This side said goodbye, or answered the peer's.
        var hasSaidFarewell = false
        /// The peer answered this side's goodbye.
        var farewellAnswered = false
        /// Frames that came whole.
        var delivered: UInt64 = 0
        /// Frames that this side acknowledged.
        var acknowledged: UInt64 = 0
        /// Text: a frame was sent and its last `ok` has not come.
        var isUnsettled = false

        /// What `finish` read and the thread in `receive` has not taken.
        var kept: [Message] = []

        var hasEnded: Bool { goodbye != nil || farewellAnswered }

        mutating func takeTurn() -> Bool {
            if isReading || isClosed || failure != nil { return false }
            isReading = true
            return true
        }
    }

    private let state = Monitor(State())

    /// How long a goodbye waits at most for the peer to close, once all was said.
    private static let drainTime = Duration.seconds(2)

    /// More than any window: where nobody is in `receive`, what comes beyond is dropped.
    private static let mostKept = 1024

    func look<Value>(_ body: (State) -> Value) -> Value { state.withLock { body($0) } }

    func change(_ body: (inout State) -> Void) { state.update { body(&$0) } }

    /// The connection is broken, which ends every wait here. The first error counts.
    func fail(_ error: FrameStreamingError) { change { $0.failure = $0.failure ?? error } }

    /// Waits until `body` has a value, or the connection was closed or ended with an error.
    func wait<Value>(
        until deadline: Deadline, for what: String, _ body: (inout State) -> Value?
    ) throws(FrameStreamingError) -> Value {
        let outcome: Result<Value, FrameStreamingError>? = state.wait(until: deadline.nanoseconds) { state in
            if let value = body(&state) { return .success(value) }
            if state.isClosed { return .failure(.closedConnection) }
            return state.failure.map { .failure($0) }
        }
        switch outcome {
        case nil: throw .timedOut(what)
        case .success(let value): return value
        case .failure(let error): throw error
        }
    }

    /// What the thread in `receive` gets: a message that `finish` read before it, or what `body` reads in its turn; nil where the
    /// peer has ended in good order, which stays so when this side has closed since. What ends the connection is kept.
    func reading(
        until deadline: Deadline, _ body: () throws(FrameStreamingError) -> Message?
    ) throws(FrameStreamingError) -> Message? {
        // Nearly always the turn is free and nothing is kept: then no message is handed through the wait.
        if state.withLock({ $0.kept.isEmpty && !$0.hasEnded && $0.takeTurn() }) { return try inTurn(body) }
        let turn = try wait(until: deadline, for: "another thread's receive") { state -> Turn? in
            if !state.kept.isEmpty { return .message(state.kept.removeFirst()) }
            if state.hasEnded { return .ended }
            return state.takeTurn() ? .mine : nil
        }
        switch turn {
        case .message(let message): return message
        case .ended: return nil
        case .mine: return try inTurn(body)
        }
    }

    /// As ``reading(until:_:)`` for one who reads without waiting, and takes all that has come: true when the peer has ended in good order.
    ///
    /// `body` reads, and says whether the peer has ended.
    func readingArrived(
        into messages: inout [Message], _ body: (inout [Message]) throws(FrameStreamingError) -> Bool
    ) throws(FrameStreamingError) -> Bool {
        var hasEnded = try wait(until: .never, for: "another thread's receive") { state -> Bool? in
            messages += state.kept
            state.kept = []
            if state.hasEnded { return true }
            return state.takeTurn() ? false : nil
        }
        if hasEnded { return true }
        _ = try inTurn { () throws(FrameStreamingError) in
            hasEnded = try body(&messages)
            return nil
        }
        return hasEnded || look { $0.hasEnded }
    }

    private enum Turn { case message(Message), ended, mine }

    private func inTurn(
        _ body: () throws(FrameStreamingError) -> Message?
    ) throws(FrameStreamingError) -> Message? {
        defer { change { $0.isReading = false } }
        do throws(FrameStreamingError) {
            return try body()
        } catch {
            if error.code == .closed, look({ $0.hasEnded }) { return nil }
            if error.code == .timedOut { throw error }
            var first = error
            change { state in
                // What ended the connection may have been said by another thread, which closed it.
                first = state.failure ?? error
                state.failure = first
            }
            throw first
        }
    }

    /// Waits until `isSettled`: reads by `body` while no other thread does, and keeps what comes for the thread in `receive`,
    /// which may be busy with the message before.
    func await(
        until deadline: Deadline, for what: String, _ isSettled: @escaping (State) -> Bool,
        reading body: () throws(FrameStreamingError) -> Message?
    ) throws(FrameStreamingError) {
        while true {
            let settled = try wait(until: deadline, for: what) { state -> Bool? in
                if isSettled(state) { return true }
                return state.takeTurn() ? false : nil
            }
            if settled { return }
            _ = try inTurn { () throws(FrameStreamingError) in
                guard let message = try body() else { return nil }
                // Within the turn: who has it next must find this before what it reads itself.
                change { state in
                    if state.kept.count < Self.mostKept { state.kept.append(message) }
                }
                return nil
            }
        }
    }

    /// Reads to the end of the peer's bytes, which are nobody's any more, so that the last ones of this side are not lost to a
    /// reset. Gives up silently: everything was said.
    func drain(_ channel: Channel, _ writer: MessageWriter, until deadline: Deadline) {
        let deadline = deadline.earlier(.after(Self.drainTime))
        let isMine: Bool? = try? wait(until: deadline, for: "another thread's receive") { state -> Bool? in
            state.takeTurn() ? true : nil
        }
        guard isMine == true else { return }
        defer { change { $0.isReading = false } }
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
