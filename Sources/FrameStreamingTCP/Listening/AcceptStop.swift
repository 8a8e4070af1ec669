internal import FrameStreamingSystem

/// Ends the accepting of peers by one thread, while its listener goes on.
final class AcceptStop: Sendable {
    private let stopped = Monitor(false)
    /// Ends the thread's wait.
    let wakeUp: WakeUp

    init() throws(SystemError) { wakeUp = try WakeUp() }

    var isStopped: Bool { stopped.withLock { $0 } }

    func stop() {
        stopped.withLock { $0 = true }
        wakeUp.signal()
    }
}
