internal import FrameStreamingCore
internal import FrameStreamingSystem

/// How far a connection is, and which thread reads: at most one at a time does.
final class Lifecycle: Sendable {
    struct State {
        var isReading = false
        var isClosed = false
        var failure: FrameStreamingError?
        /// What the peer said at its end.
        var goodbye: String?
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

        var hasEnded: Bool { goodbye != nil || farewellAnswered }
    }

    private let state = Monitor(State())

    /// How long a goodbye waits at most for the peer to close, once all was said.
    private static let drainTime = Duration.seconds(2)

    func look<Value>(_ body: (State) -> Value) -> Value { state.withLock { body($0) } }

    func change(_ body: (inout State) -> Void) { state.update { body(&$0) } }

    /// Waits until `body` has a value, or the connection ended with an error.
    func wait<Value>(
        until deadline: Deadline, for what: String, _ body: (inout State) -> Value?
    ) throws(FrameStreamingError) -> Value {
        let outcome: Result<Value, FrameStreamingError>? = state.wait(until: deadline.nanoseconds) { state in
            if state.isClosed { return .failure(.closedConnection) }
            if let value = body(&state) { return .success(value) }
            return state.failure.map { .failure($0) }
        }
        switch outcome {
        case nil: throw .timedOut(what)
        case .success(let value): return value
        case .failure(let error): throw error
        }
    }

    /// One thread's turn to read, by `body`; nil where the peer has ended in good order. What ends the connection is kept.
    func reading<Value>(
        until deadline: Deadline, _ body: () throws(FrameStreamingError) -> Value?
    ) throws(FrameStreamingError) -> Value? {
        let isMine = try wait(until: deadline, for: "another thread's receive") { state -> Bool? in
            if state.hasEnded { return false }
            if state.isReading || state.failure != nil { return nil }
            state.isReading = true
            return true
        }
        return isMine ? try inTurn(body) : nil
    }

    private func inTurn<Value>(
        _ body: () throws(FrameStreamingError) -> Value?
    ) throws(FrameStreamingError) -> Value? {
        defer { change { $0.isReading = false } }
        do throws(FrameStreamingError) {
            return try body()
        } catch {
            if error.code != .timedOut { change { $0.failure = $0.failure ?? error } }
            throw error
        }
    }

    /// Waits until `isSettled`: reads by `body` where no other thread does.
    func await(
        until deadline: Deadline, for what: String, _ isSettled: @escaping (State) -> Bool,
        reading body: () throws(FrameStreamingError) -> Void
    ) throws(FrameStreamingError) {
        while true {
            let settled = try wait(until: deadline, for: what) { state -> Bool? in
                if isSettled(state) { return true }
                if state.isReading || state.failure != nil { return nil }
                state.isReading = true
                return false
            }
            if settled { return }
            _ = try inTurn { () throws(FrameStreamingError) -> Bool? in
                try body()
                return nil
            }
        }
    }

    /// Reads to the end of the peer's bytes, which are nobody's any more, so that the last ones of this side are not lost to a
    /// reset. Gives up silently: everything was said.
    func drain(_ channel: Channel, _ outbox: Outbox, until deadline: Deadline) {
        let deadline = deadline.earlier(.after(Self.drainTime))
        let isMine: Bool? = try? wait(until: deadline, for: "another thread's receive") { state -> Bool? in
            if state.isReading { return nil }
            state.isReading = true
            return true
        }
        guard isMine == true else { return }
        defer { change { $0.isReading = false } }
        var scratch = InputBuffer()
        while true {
            let count = try? scratch.fill { bytes throws(FrameStreamingError) in
                try channel.read(into: &bytes, until: deadline.nanoseconds, driving: outbox)
            }
            guard let count, count > 0 else { return }
            _ = scratch.drop(upTo: count)
        }
    }
}
