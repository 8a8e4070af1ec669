/// State behind a lock, with a condition to wait for its changes.
///
/// Inlinable, so that other modules compile code for their own state. Generic code would look up
/// every type and copy the state through witness tables, a dozen times per frame.
///
/// Unsafe code: the state lies behind a pointer, is initialised from init to deinit, and is used
/// only under the lock, which gives exclusive access. For a stored property the runtime would check
/// exclusivity each time again, which costs more than the lock.
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

    /// Reads or changes the state without a wake-up.
    @inlinable package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try unsafe body(&state.pointee)
    }

    /// Changes the state, then wakes all waiting threads. The wake-up follows the unlock, because a
    /// woken thread takes the lock at once, and would only wait again.
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

    /// Waits until `body` returns a value. `body` is called now and after every `update`, under the
    /// lock, and may change the state. Nil when `deadline` (CLOCK_MONOTONIC nanoseconds, nil =
    /// never) passes first.
    @inlinable package func wait<Result>(until deadline: Int64?, _ body: (inout State) -> Result?) -> Result? {
        lock.lock()
        defer { lock.unlock() }
        while true {
            if let result = unsafe body(&state.pointee) { return result }
            guard lock.wait(until: deadline) else { return nil }
        }
    }

    /// Wakes all waiting threads without a change of the state: for threads that also wait for
    /// something else.
    @inlinable package func wakeAll() {
        // Taking the lock once ensures that a thread that read the old state is waiting by now.
        lock.lock()
        lock.unlock()
        lock.wakeAll()
    }
}
