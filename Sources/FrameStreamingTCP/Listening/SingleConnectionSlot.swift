internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The one place of a ``TCPAcceptor``: of the peers whose handshakes run side by side the first to get that far has it, and keeps it until
/// its connection is closed, or the next one is asked for.
final class SingleConnectionSlot: Sendable {
    private struct State {
        /// Why nobody comes any more.
        var end: FrameStreamingError?
        /// A peer's handshake is about to be complete.
        var isClaimed = false
        /// A peer that waits to be taken.
        var ready: (TCPTransport, Channel)?
        /// The connection of the peer that was taken last.
        var taken: Channel?

        /// Nil: another peer has the place.
        mutating func claim() -> Bool? {
            if end != nil { return false }
            guard !isClaimed, ready == nil, taken?.isClosed ?? true else { return nil }
            isClaimed = true
            return true
        }
    }

    private let state = Monitor(State())

    /// How long a peer waits for the place of one that is just about to leave.
    private static let patience = Duration.milliseconds(250)

    var isCancelled: Bool { state.withLock { $0.end != nil } }

    /// Takes the place for a peer that is about to be told so.
    ///
    /// - Throws: `busy` where another has it.
    func claim() throws(FrameStreamingError) {
        let claimed =
            state.wait(until: Deadline.after(Self.patience).nanoseconds) { $0.claim() }
            // Nobody is woken when a connection is closed.
            ?? state.withLock { $0.claim() }
        switch claimed {
        case true: return
        case false: throw .closedListener
        case nil:
            throw FrameStreamingError(.busy, "there is room for one here: try again when its connection has ended")
        }
    }

    /// Gives a claimed place back: nothing came of the handshake.
    func giveBack() { state.update { $0.isClaimed = false } }

    /// The handshake is complete: the peer waits in its place.
    func fill(_ transport: TCPTransport, _ channel: Channel) {
        let isLate = state.update { state in
            state.isClaimed = false
            if state.end == nil { state.ready = (transport, channel) }
            return state.end != nil
        }
        if isLate { transport.close() }
    }

    /// The peer in the place, waiting for one; who asks is through with the one before.
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

    /// Ends every wait, and lets go of a peer that nobody took. One that was taken stays.
    func cancel() { end(.cancelled("the wait for a peer")) }

    /// As ``cancel()``, for another reason; the first one counts.
    func end(_ reason: FrameStreamingError) {
        let ready = state.update { state in
            state.end = state.end ?? reason
            defer { state.ready = nil }
            return state.ready
        }
        ready?.0.close()
    }
}
