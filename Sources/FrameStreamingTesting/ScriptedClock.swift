public import FrameStreamingCore
internal import FrameStreamingSystem

/// A clock that a test sets. A sleep returns at once, and sets the clock to the time at which it
/// would have ended.
public final class ScriptedClock: FrameClock {
    private struct State {
        var now: MonotonicTime
        var sleeps: [MonotonicTime] = []
    }

    private let state: Monitor<State>

    /// Creates a clock that shows `start`.
    public init(start: MonotonicTime = MonotonicTime(reading: .seconds(1))) {
        state = Monitor(State(now: start))
    }

    /// The time that the clock shows.
    public var now: MonotonicTime { state.withLock { $0.now } }

    /// Sets the clock to `time`, unless it is later already, and records the sleep.
    public func sleep(until time: MonotonicTime) {
        state.update { state in
            state.sleeps.append(time)
            state.now = max(state.now, time)
        }
    }

    /// Moves the clock forward.
    public func advance(by duration: Duration) {
        state.update { $0.now = $0.now.advanced(by: duration) }
    }

    /// The end time of each sleep, in order.
    public var sleeps: [MonotonicTime] { state.withLock { $0.sleeps } }
}
