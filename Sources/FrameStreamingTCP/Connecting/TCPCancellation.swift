internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Lets another thread end an attempt to connect, for which there is no connection yet that could be closed.
///
/// Once cancelled it stays cancelled; attempts that begin later end at once.
public final class TCPCancellation: Sendable {
    private struct State {
        var isCancelled = false
        var channels: [ObjectIdentifier: Channel] = [:]
    }

    private let state = Monitor(State())
    private let wakeUp: WakeUp?

    /// One that nobody has cancelled yet.
    public init() {
        // Without one (no descriptor is left) a connect is not woken early, but no socket can be made then either.
        wakeUp = try? WakeUp()
    }

    /// Ends every attempt to connect that was given this, with `cancelled`, within 100 ms.
    public func cancel() {
        let channels = state.update { state in
            state.isCancelled = true
            return state.channels.values
        }
        wakeUp?.signal()
        for channel in channels { channel.close() }
    }

    /// Whether it was cancelled.
    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Waits for a descriptor; a cancel ends it.
    func wait(for events: Int16, on descriptor: Descriptor, until deadline: Int64?) throws(SystemError) -> Readiness {
        try FrameStreamingSystem.wait(for: events, on: descriptor.raw, until: deadline, wakeUp: wakeUp)
    }

    /// Waits for `duration`; false = cancelled.
    func pause(_ duration: Duration) -> Bool {
        let cancelled: Bool? = state.wait(until: Deadline.after(duration).nanoseconds) { $0.isCancelled ? true : nil }
        return cancelled == nil
    }

    /// Closes `channel` when cancelled while `body` runs.
    func guarding<Value>(
        _ channel: Channel, _ body: () throws(FrameStreamingError) -> Value
    ) throws(FrameStreamingError) -> Value {
        let goes = state.withLock { state in
            if !state.isCancelled { state.channels[ObjectIdentifier(channel)] = channel }
            return !state.isCancelled
        }
        guard goes else { throw .cancelled("the attempt to connect") }
        defer { state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) } }
        do throws(FrameStreamingError) {
            return try body()
        } catch {
            throw isCancelled ? .cancelled("the attempt to connect") : error
        }
    }
}
