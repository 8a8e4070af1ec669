internal import FrameStreamingSystem

/// Calls `body` once a second with the seconds since the last call, on a thread of its own, until it is stopped.
package final class PerSecond: Sendable {
    private let isStopped = Monitor(false)

    package init(_ body: @escaping @Sendable (Double) -> Void) {
        let isStopped = isStopped
        startThread("per second") {
            var last = monotonicNow()
            while true {
                let stop: Bool? = isStopped.wait(until: last + 1_000_000_000) { $0 ? true : nil }
                if stop == true { return }
                // Under the lock, so that no line comes after `stop`: the summary is the last.
                isStopped.withLock { isStopped in
                    guard !isStopped else { return }
                    let now = monotonicNow()
                    body(Double(now - last) / 1e9)
                    last = now
                }
            }
        }
    }

    /// Returns when no call is under way, and none will be.
    package func stop() { isStopped.update { $0 = true } }
}
