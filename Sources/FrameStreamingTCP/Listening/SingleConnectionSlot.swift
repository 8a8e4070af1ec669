internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The one connection that a ``TCPAcceptor`` has at a time.
///
/// Handshakes run side by side. The first peer that completes one gets the slot, and has it until
/// its connection is closed or the caller asks for the next one.
final class SingleConnectionSlot: Sendable {
    private struct State {
        /// Why no more peers are accepted; nil while they are.
        var end: FrameStreamingError?
        /// A peer has the slot, and its handshake is about to be complete.
        var isClaimed = false
        /// A connection that the caller has not taken yet.
        var ready: (TCPTransport, Channel)?
        /// The connection that the caller took last.
        var taken: Channel?

        /// - Returns: False if no more peers are accepted; nil if another peer has the slot.
        mutating func claim() -> Bool? {
            if end != nil { return false }
            guard !isClaimed, ready == nil, taken?.isClosed ?? true else { return nil }
            isClaimed = true
            return true
        }
    }

    private let state = Monitor(State())

    /// How long a peer waits for another one that is about to leave.
    private static let patience = Duration.milliseconds(250)

    var isCancelled: Bool { state.withLock { $0.end != nil } }

    /// Takes the slot for a peer, before the peer gets its answer.
    ///
    /// - Throws: `busy` if another peer has it; `closed`.
    func claim() throws(FrameStreamingError) {
        let claimed =
            state.wait(until: Deadline.after(Self.patience).nanoseconds) { $0.claim() }
            // Closing a connection wakes no waiting thread, so look once more.
            ?? state.withLock { $0.claim() }
        switch claimed {
        case true: return
        case false: throw .closedListener
        case nil:
            throw FrameStreamingError(
                .busy, "this side takes one peer at a time: try again when the other one's connection has ended")
        }
    }

    /// Gives the slot back, because the handshake failed.
    func giveBack() { state.update { $0.isClaimed = false } }

    /// Keeps the connection of a complete handshake until the caller takes it.
    func fill(_ transport: TCPTransport, _ channel: Channel) {
        let isLate = state.update { state in
            state.isClaimed = false
            if state.end == nil { state.ready = (transport, channel) }
            return state.end != nil
        }
        if isLate { transport.close() }
    }

    /// Waits for a connection and takes it. The slot of the connection before is free from here on.
    ///
    /// - Throws: `timedOut`; the reason given to ``end(_:)``.
    func take(until deadline: Deadline) throws(FrameStreamingError) -> TCPTransport {
        state.update { $0.taken = nil }
        enum Outcome { case taken(TCPTransport), ended(FrameStreamingError) }
        let outcome: Outcome? = state.wait(until: deadline.nanoseconds) { state in
            if let end = state.end { return .ended(end) }
            guard let (transport, channel) = state.ready else { return nil }
            state.ready = nil
            state.taken = channel
            return .taken(transport)
        }
        switch outcome {
        case .taken(let transport): return transport
        case .ended(let error): throw error
        case nil: throw .timedOut("a connection")
        }
    }

    /// Ends every wait, and closes a connection that was not taken. One that was taken goes on.
    func cancel() { end(.cancelled("the wait for a peer")) }

    /// As ``cancel()``, for another reason. The first reason counts.
    func end(_ reason: FrameStreamingError) {
        let ready = state.update { state in
            state.end = state.end ?? reason
            defer { state.ready = nil }
            return state.ready
        }
        ready?.0.close()
    }
}
