internal import FrameStreaming

/// Calls `body` once a second with the seconds since the last call, on a thread
/// of its own, until it is stopped.
package final class PerSecond: Sendable {
    private let isStopped = Locked(false)

    package init(_ body: @escaping @Sendable (Double) -> Void) {
        let isStopped = isStopped
        startThreadOrExit("per second") {
            var last = MonotonicTime.now
            while true {
                let stop: Bool? = isStopped.wait(until: last.advanced(by: .seconds(1))) { $0 ? true : nil }
                if stop == true { return }
                // Under the lock, so that no line comes after `stop`: the summary is the last.
                isStopped.withLock { isStopped in
                    guard !isStopped else { return }
                    let now = MonotonicTime.now
                    body(seconds(last.duration(to: now)))
                    last = now
                }
            }
        }
    }

    /// Stops the calls. Returns when none is running.
    package func stop() { isStopped.withLock { $0 = true } }
}
