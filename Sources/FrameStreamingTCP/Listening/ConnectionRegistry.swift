internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The open connections of a listener: how many there are, and how to close each.
final class ConnectionRegistry: Sendable {
    private struct State {
        var isClosed = false
        var closers: [UInt64: @Sendable () -> Void] = [:]
        var tickets: UInt64 = 0
    }

    private let state = Monitor(State())

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Adds a connection.
    ///
    /// - Parameter close: Ends the connection, from any thread.
    /// - Returns: Its ticket; nil if there are `maximum` connections, or the registry was closed.
    func enter(_ close: @escaping @Sendable () -> Void, maximum: Int) -> UInt64? {
        state.withLock { state in
            guard !state.isClosed, state.closers.count < maximum else { return nil }
            state.tickets += 1
            state.closers[state.tickets] = close
            return state.tickets
        }
    }

    /// Replaces what ends the connection, and ends it now if the registry was closed meanwhile.
    func replace(_ ticket: UInt64, _ close: @escaping @Sendable () -> Void) {
        let isClosed = state.withLock { state in
            state.closers[ticket] = close
            return state.isClosed
        }
        if isClosed { close() }
    }

    func leave(_ ticket: UInt64) { state.update { _ = $0.closers.removeValue(forKey: ticket) } }

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
}
