/// State under a lock, with a condition to wait for changes of it.
///
/// Inlinable, so that other modules have code for their own state, instead of generic code that looks every type up and
/// copies the state by way of tables: this is on the way of every frame, a dozen times.
///
/// Unsafe code: the state is behind a pointer, initialised from init to deinit and used under the lock only, which gives exclusive
/// access. As a stored property the runtime would check that once more each time, for more than the lock itself costs.
@safe @usableFromInline package final class Monitor<State>: @unchecked Sendable {
    @usableFromInline let lock: ConditionLock
    @usableFromInline let state: UnsafeMutablePointer<State>

    @inlinable package init(_ state: sending State) {
        unsafe self.state = .allocate(capacity: 1)
        unsafe self.state.initialize(to: state)
        lock = ConditionLock()
    }

    deinit {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// Looks at or changes the state without waking anybody.
    @inlinable package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try unsafe body(&state.pointee)
    }

    /// Changes the state and wakes all who wait for a change: behind the lock, for who is woken wants it at once, and would only
    /// wait again.
    @inlinable package func update<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer {
            lock.unlock()
            lock.wakeAll()
        }
        return try unsafe body(&state.pointee)
    }

    /// Waits until `body` returns a value, which is looked at now and after every `update`; nil when `deadline`
    /// (CLOCK_MONOTONIC nanoseconds, nil for ever) passes first. `body` runs under the lock and may change the state.
    @inlinable package func wait<Result>(until deadline: Int64?, _ body: (inout State) -> Result?) -> Result? {
        lock.lock()
        defer { lock.unlock() }
        while true {
            if let result = unsafe body(&state.pointee) { return result }
            guard lock.wait(until: deadline) else { return nil }
        }
    }

    /// Wakes all who wait, without a change of the state: for those who also wait for something else.
    @inlinable package func wakeAll() {
        // Who looked before the change is waiting by now.
        lock.lock()
        lock.unlock()
        lock.wakeAll()
    }
}
