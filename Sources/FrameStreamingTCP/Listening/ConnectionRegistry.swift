internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The connections of a listener that are under way: how many there are, and how to close each.
final class ConnectionRegistry: Sendable {
    private struct State {
        var isClosed = false
        var closers: [UInt64: @Sendable () -> Void] = [:]
        var tickets: UInt64 = 0
    }

    private let state = Monitor(State())

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Takes one in, unless there are `maximum`, or all were closed.
    ///
    /// - Parameter close: Ends it, from any thread.
    func enter(_ close: @escaping @Sendable () -> Void, maximum: Int) -> UInt64? {
        state.withLock { state in
            guard !state.isClosed, state.closers.count < maximum else { return nil }
            state.tickets += 1
            state.closers[state.tickets] = close
            return state.tickets
        }
    }

    /// From now on it is ended in another way. Ends it at once if all were closed meanwhile.
    func replace(_ ticket: UInt64, _ close: @escaping @Sendable () -> Void) {
        let isClosed = state.withLock { state in
            state.closers[ticket] = close
            return state.isClosed
        }
        if isClosed { close() }
    }

    func leave(_ ticket: UInt64) { state.update { _ = $0.closers.removeValue(forKey: ticket) } }

    func close() {
        let closers = state.update { state in
            state.isClosed = true
            return state.closers.values
        }
        for close in closers { close() }
    }

    /// Waits until none is left.
    func waitUntilEmpty() { _ = state.wait(until: nil) { $0.closers.isEmpty ? true : nil } }
}
