public import FrameStreamingCore
internal import FrameStreamingSystem

/// A clock that a test moves: a sleep returns at once and moves it to where the sleep would have ended.
public final class ScriptedClock: FrameClock {
    private struct State {
        var now: MonotonicTime
        var sleeps: [MonotonicTime] = []
    }

    private let state: Monitor<State>

    /// A clock that stands at `start`.
    public init(start: MonotonicTime = MonotonicTime(nanoseconds: 1_000_000_000)) {
        state = Monitor(State(now: start))
    }

    /// Where it stands.
    public var now: MonotonicTime { state.withLock { $0.now } }

    /// Moves it to `time`, unless it is there already, and notes that somebody slept.
    public func sleep(until time: MonotonicTime) {
        state.update { state in
            state.sleeps.append(time)
            state.now = max(state.now, time)
        }
    }

    /// Moves it forward.
    public func advance(by duration: Duration) {
        state.update { $0.now = $0.now.advanced(by: duration) }
    }

    /// Until when each sleep was, in order.
    public var sleeps: [MonotonicTime] { state.withLock { $0.sleeps } }
}
