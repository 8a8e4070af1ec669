import FrameStreamingSystem

/// Ends the process, and says which test hangs, when one has not ended in time.
///
/// A thread that is blocked cannot be taken out of its call: without this a test whose own thread
/// waits for ever would keep the run from ever ending, and would not even be named.
enum TestWatch {
    private struct State {
        var running: [UInt64: (name: String, limit: Int64)] = [:]
        var begun: UInt64 = 0
        var isWatched = false
    }

    /// In seconds: several waits of `longestWait`, one after another.
    private static let limit = 3 * longestWait
    private static let state = Monitor(State())

    /// Begins to watch a test, and returns what ends that.
    static func begin(_ name: String) throws -> UInt64 {
        let (key, isFirst) = state.update { state in
            state.begun += 1
            let end = monotonicNow() + Int64(limit) * 1_000_000_000
            state.running[state.begun] = (name, end)
            defer { state.isWatched = true }
            return (state.begun, !state.isWatched)
        }
        if isFirst { _ = try SystemThread(name: "test-watch", stackSize: 1 << 20) { watch() } }
        return key
    }

    static func end(_ key: UInt64) { state.withLock { $0.running[key] = nil } }

    private static func watch() {
        while true {
            // All have the same time, so no test that begins later ends earlier.
            let next: Int64? = state.wait(until: nil) { $0.running.values.map(\.limit).min() }
            if let next { sleep(until: next) }
            let late = state.withLock { state in
                state.running.values.filter { $0.limit <= monotonicNow() }.map(\.name).sorted()
            }
            if !late.isEmpty { fatalError("not ended within \(limit) s: \(late.joined(separator: ", "))") }
        }
    }
}
