internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The open connections of a listener: which there are, and how to close each.
final class ConnectionRegistry: Sendable {
    private struct State {
        var isClosed = false
        var places = PlaceTable()
        var closers: [UInt64: @Sendable () -> Void] = [:]
        var tickets: UInt64 = 0
        /// Handshakes that ended for newer ones, until their threads notice.
        var evicted: Set<UInt64> = []
    }

    /// What became of a peer that connected.
    enum Entry {
        case enters(UInt64)
        case refused(PeerLimit)
        case isClosed
    }

    private let state = Monitor(State())
    private let counts: ListenerCounts

    /// - Parameter counts: Where its peers are counted.
    init(_ counts: ListenerCounts = ListenerCounts()) { self.counts = counts }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Adds a connection, which takes a place once it is proved.
    ///
    /// - Parameters:
    ///   - host: Where its peer is.
    ///   - close: Ends the connection, from any thread.
    func enter(_ host: PeerHost, _ limits: PlaceLimits, _ close: @escaping @Sendable () -> Void) -> Entry {
        var evict: (@Sendable () -> Void)?
        let entry: Entry = state.withLock { state in
            guard !state.isClosed else { return .isClosed }
            state.tickets += 1
            let entry = counting(&state) { $0.places.enter($0.tickets, from: host, limits) }
            counts.change { $0.accepted &+= 1 }
            switch entry {
            case .refused(let limit):
                counts.change { $0.limits.note(limit) }
                return .refused(limit)
            case .enters(let evicted):
                if let evicted {
                    state.evicted.insert(evicted)
                    // Its thread still has to end.
                    evict = state.closers.updateValue({}, forKey: evicted)
                }
                state.closers[state.tickets] = close
                return .enters(state.tickets)
            }
        }
        evict?()
        return entry
    }

    /// Adds something to be closed that is no connection; nil if the registry was closed.
    func enter(_ close: @escaping @Sendable () -> Void) -> UInt64? {
        guard case .enters(let ticket) = enter(.none, PlaceLimits(), close) else { return nil }
        return ticket
    }

    /// Gives a connection its place, because its peer has introduced itself.
    ///
    /// - Returns: Why it has none; nil = it has.
    func prove(_ ticket: UInt64, _ limits: PlaceLimits) -> PeerLimit? {
        state.withLock { state in
            let obstacle = counting(&state) { $0.places.prove(ticket, limits) }
            counts.change { $0.limits.note(obstacle) }
            return obstacle
        }
    }

    /// Counts a handshake that failed, and returns why: it may have been ended for a newer one.
    func failed(
        _ ticket: UInt64, _ error: FrameStreamingError, _ limits: PlaceLimits, at address: String
    ) -> FrameStreamingError {
        var error = error
        if state.withLock({ $0.evicted.remove(ticket) }) != nil {
            error = FrameStreamingError(
                .limitExceeded,
                "its handshake was ended for a newer one, because more than \(limits.handshakes) were in progress: slow peers or strangers connect here; a firewall keeps strangers out, and TCPOptions.maximumHandshakes allows more",
                subject: address, limit: .handshakes)
        }
        counts.change { counts in
            counts.failed &+= 1
            // What kept it from a place was counted with that.
            if error.limit != .connections, error.limit != .connectionsPerAddress { counts.limits.note(error.limit) }
        }
        return error
    }

    /// Replaces what ends the connection, and ends it now if the registry was closed meanwhile.
    func replace(_ ticket: UInt64, _ close: @escaping @Sendable () -> Void) {
        let isClosed = state.withLock { state in
            state.closers[ticket] = close
            return state.isClosed
        }
        if isClosed { close() }
    }

    func leave(_ ticket: UInt64) {
        state.update { state in
            counting(&state) { $0.places.leave(ticket) }
            state.closers[ticket] = nil
            state.evicted.remove(ticket)
        }
    }

    /// Ends all connections, and takes no more.
    func close() {
        let closers = state.update { state in
            state.isClosed = true
            return state.closers.values
        }
        for close in closers { close() }
    }

    /// Waits until no connection is left.
    func waitUntilEmpty() { _ = state.wait(until: nil) { $0.closers.isEmpty ? true : nil } }

    /// Changes which peers have a place, and counts them.
    private func counting<Value>(_ state: inout State, _ body: (inout State) -> Value) -> Value {
        let (connections, handshakes) = (state.places.connections, state.places.handshakes)
        defer {
            counts.change { counts in
                counts.connections += state.places.connections - connections
                counts.handshakes += state.places.handshakes - handshakes
            }
        }
        return body(&state)
    }
}
