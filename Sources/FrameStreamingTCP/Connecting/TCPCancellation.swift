internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Lets another thread end an attempt to connect, which has no connection yet that could be closed.
///
/// It stays cancelled: attempts that begin later end at once.
public final class TCPCancellation: Sendable {
    private struct State {
        var isCancelled = false
        /// What ends each call that waits for something else than ``wakeUp``.
        var closers: [UInt64: @Sendable () -> Void] = [:]
        var lastCloser: UInt64 = 0
    }

    private let state = Monitor(State())
    private let wakeUp: WakeUp?

    /// Creates a cancellation that is not cancelled yet.
    public init() {
        // It is nil if no descriptor is left. Then no socket can be made either, so no wait needs
        // it.
        wakeUp = try? WakeUp()
    }

    /// Ends every attempt to connect that uses this with `cancelled`, within 100 ms.
    public func cancel() {
        let closers = state.update { state in
            state.isCancelled = true
            return state.closers.values
        }
        wakeUp?.signal()
        for close in closers { close() }
    }

    /// Whether ``cancel()`` was called.
    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Waits for a descriptor. A cancel ends the wait.
    func wait(for events: Int16, on descriptor: Descriptor, until deadline: Int64?) throws(SystemError) -> Readiness {
        try FrameStreamingSystem.wait(for: events, on: descriptor.raw, until: deadline, wakeUp: wakeUp)
    }

    /// Waits for `duration`; false = cancelled.
    func pause(_ duration: Duration) -> Bool {
        let cancelled: Bool? = state.wait(until: Deadline.after(duration).nanoseconds) { $0.isCancelled ? true : nil }
        return cancelled == nil
    }

    /// Runs `body`. A cancel meanwhile calls `close`, which must end the body.
    ///
    /// - Throws: `cancelled`, also without a call of `body` after a cancel; what `body` throws.
    func guarding<Value>(
        _ close: @escaping @Sendable () -> Void, _ body: () throws(FrameStreamingError) -> Value
    ) throws(FrameStreamingError) -> Value {
        let number: UInt64? = state.withLock { state in
            guard !state.isCancelled else { return nil }
            state.lastCloser += 1
            state.closers[state.lastCloser] = close
            return state.lastCloser
        }
        guard let number else { throw .cancelled("the attempt to connect") }
        defer { state.withLock { _ = $0.closers.removeValue(forKey: number) } }
        do throws(FrameStreamingError) {
            return try body()
        } catch {
            throw isCancelled ? .cancelled("the attempt to connect") : error
        }
    }
}
