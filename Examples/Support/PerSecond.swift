internal import FrameStreaming
internal import Synchronization

/// Calls `body` once a second with the seconds since the last call, on a thread of its own, until it is stopped.
package final class PerSecond: Sendable {
    private let isStopped = Atomic(false)

    package init(_ body: @escaping @Sendable (Double) -> Void) {
        startThread("per second") { [self] in
            let clock = SystemClock()
            var last = clock.now
            while !isStopped.load(ordering: .acquiring) {
                // Slices, so that a stopped one does not outlive its program by a second.
                let due = last.advanced(by: .seconds(1))
                while clock.now < due, !isStopped.load(ordering: .acquiring) {
                    clock.sleep(until: min(due, clock.now.advanced(by: .milliseconds(100))))
                }
                if isStopped.load(ordering: .acquiring) { return }
                let now = clock.now
                body(Double(now.since(last).components.attoseconds) / 1e18 + Double(now.since(last).components.seconds))
                last = now
            }
        }
    }

    package func stop() { isStopped.store(true, ordering: .releasing) }
}
