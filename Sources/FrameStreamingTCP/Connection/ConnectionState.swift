internal import FrameStreamingCore
internal import FrameStreamingSystem

/// How far a connection has got: its goodbyes, its failure and its close.
///
/// All threads that use the connection share it, and can wait for a change. ``ReadingTurn`` has the
/// rules about which of them reads.
final class ConnectionState: Sendable {
    struct State {
        var isClosed = false
        /// The first error that ended the connection.
        var failure: FrameStreamingError?
        /// The peer's goodbye.
        var goodbye: Goodbye?
        /// This side has said goodbye, or has answered the peer's.
        var hasSaidGoodbye = false
        /// The peer has answered this side's goodbye.
        var isGoodbyeAnswered = false
        /// The number of the last frame that this side received whole. Text only.
        var received: UInt64 = 0
        /// The number of the last frame that this side acknowledged.
        var acknowledged: UInt64 = 0
        /// A frame was announced, and its second `ok` has not arrived. Text only.
        var awaitsReceipt = false
        var reading = ReadingState()

        /// Whether the peer sends nothing more.
        var hasEnded: Bool { goodbye != nil || isGoodbyeAnswered }
        /// Either side has begun to say goodbye.
        var isEnding: Bool { hasSaidGoodbye || goodbye != nil }
    }

    private let state = Monitor(State())

    func look<Value>(_ body: (State) -> Value) -> Value { state.withLock { body($0) } }

    func change(_ body: (inout State) -> Void) { state.update { body(&$0) } }

    /// Changes the state without waking the threads that wait for a change.
    func changeQuietly<Value>(_ body: (inout State) -> Value) -> Value { state.withLock { body(&$0) } }

    /// Marks the connection as broken, which ends every wait here. The first error counts.
    func fail(_ error: FrameStreamingError) { change { $0.failure = $0.failure ?? error } }

    /// Waits until `body` has a value.
    ///
    /// - Throws: `timedOut`; `closed`, or what broke the connection, as soon as it is over.
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
}
