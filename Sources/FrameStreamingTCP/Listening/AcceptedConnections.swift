internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Connections that were accepted and that no task has taken, and the task that waits for one.
final class AcceptedConnections: Sendable {
    typealias Answer = Result<TCPTransport?, FrameStreamingError>

    private struct State {
        var hasBegun = false
        var ready: [(transport: TCPTransport, ticket: UInt64)] = []
        var waiting: CheckedContinuation<Answer, Never>?
        /// The answer once no connection is ready any more; nil = more may come.
        var end: Answer?
        var onCancel: (@Sendable () -> Void)?
        var isCancelled = false
    }

    private let state = Monitor(State())
    /// Those that are in a handshake, or ready.
    let registry: ConnectionRegistry

    /// - Parameter counts: Where the peers are counted.
    init(_ counts: ListenerCounts) { registry = ConnectionRegistry(counts) }

    var hasEnded: Bool { state.withLock { $0.end != nil } }

    /// Asks for a connection on behalf of a task. True for the first call, before any peer is
    /// accepted: the caller starts that.
    func ask(_ continuation: CheckedContinuation<Answer, Never>) -> Bool {
        var taken: UInt64?
        let (answer, isFirst): (Answer?, Bool) = state.withLock { state in
            if !state.ready.isEmpty {
                let next = state.ready.removeFirst()
                taken = next.ticket
                return (.success(next.transport), false)
            }
            if let end = state.end { return (end, false) }
            guard state.waiting == nil else {
                return (
                    .failure(
                        FrameStreamingError(
                            .busy, "another task waits for a connection of this iterator already")), false
                )
            }
            state.waiting = continuation
            defer { state.hasBegun = true }
            return (nil, !state.hasBegun)
        }
        // From here on the listener does not close the connection.
        if let taken { registry.leave(taken) }
        if let answer { continuation.resume(returning: answer) }
        return isFirst
    }

    /// Gives a connection to the task that waits, or keeps it for the next that asks.
    func add(_ transport: TCPTransport, _ ticket: UInt64) {
        let (waiting, isLate): (CheckedContinuation<Answer, Never>?, Bool) = state.withLock { state in
            if state.isCancelled { return (nil, true) }
            guard let waiting = state.waiting.take() else {
                state.ready.append((transport, ticket))
                return (nil, false)
            }
            return (waiting, false)
        }
        if isLate { transport.close() }
        if isLate || waiting != nil { registry.leave(ticket) }
        waiting?.resume(returning: .success(transport))
    }

    /// No more connections come; those that are ready can still be taken.
    func end(_ answer: Answer) {
        let waiting = state.withLock { state in
            state.end = state.end ?? answer
            return state.waiting.take()
        }
        waiting?.resume(returning: answer)
    }

    /// Sets what stops the accepting of peers. It is called now after a cancel.
    func onCancel(_ body: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.onCancel = body
            return state.isCancelled
        }
        if isLate { body() }
    }

    /// Ends the sequence at once: what is ready or in a handshake is closed.
    func cancel() {
        let (waiting, ready, stop) = state.withLock { state in
            state.isCancelled = true
            state.end = state.end ?? .success(nil)
            defer { state.ready = [] }
            return (state.waiting.take(), state.ready, state.onCancel)
        }
        stop?()
        waiting?.resume(returning: .success(nil))
        for (transport, ticket) in ready {
            transport.close()
            registry.leave(ticket)
        }
        registry.close()
    }
}
