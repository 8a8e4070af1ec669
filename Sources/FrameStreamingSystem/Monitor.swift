/// State under a lock, with a condition to wait for changes of it.
///
/// Inlinable, so that other modules have code for their own state, instead of generic code that looks every type up and
/// copies the state by way of tables: this is on the way of every frame, a dozen times.
@usableFromInline package final class Monitor<State>: @unchecked Sendable {
    @usableFromInline let lock: ConditionLock
    @usableFromInline var state: State

    @inlinable package init(_ state: sending State) {
        self.state = state
        lock = ConditionLock()
    }

    /// Looks at or changes the state without waking anybody.
    @inlinable package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&state)
    }

    /// Changes the state and wakes all who wait for a change.
    @inlinable package func update<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer {
            lock.wakeAll()
            lock.unlock()
        }
        return try body(&state)
    }

    /// Waits until `body` returns a value, which is looked at now and after every `update`; nil when `deadline`
    /// (CLOCK_MONOTONIC nanoseconds, nil for ever) passes first. `body` runs under the lock and may change the state.
    @inlinable package func wait<Result>(until deadline: Int64?, _ body: (inout State) -> Result?) -> Result? {
        lock.lock()
        defer { lock.unlock() }
        while true {
            if let result = body(&state) { return result }
            guard lock.wait(until: deadline) else { return nil }
        }
    }

    /// Wakes all who wait, without a change of the state: for those who also wait for something else.
    @inlinable package func wakeAll() {
        lock.lock()
        lock.wakeAll()
        lock.unlock()
    }
}
