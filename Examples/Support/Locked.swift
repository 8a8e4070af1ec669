package import FrameStreaming
internal import Glibc

/// A value under a lock, with a wait for changes of it.
///
/// `Synchronization.Mutex` has no wait, and Foundation's conditions wait by the wall clock, which
/// may be set back.
///
/// Unsafe code: the two pthread objects and the value have fixed addresses from init to deinit, as
/// pthread requires. The value is used under the lock only.
@safe package final class Locked<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let value: UnsafeMutablePointer<Value>

    package init(_ value: sending Value) {
        unsafe self.value = .allocate(capacity: 1)
        unsafe self.value.initialize(to: value)
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    /// Reads or changes the value, and wakes all threads that wait for a change.
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_mutex_unlock(mutex)
            unsafe pthread_cond_broadcast(condition)
        }
        return try unsafe body(&value.pointee)
    }

    /// Waits until `body` returns a value. It is called now and after every change.
    ///
    /// - Parameter limit: When the wait ends at the latest; nil = never.
    /// - Returns: What `body` returned, or nil at the limit.
    package func wait<Result>(until limit: MonotonicTime?, _ body: (inout Value) -> Result?) -> Result? {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = unsafe body(&value.pointee) { return result }
            guard let limit else {
                unsafe pthread_cond_wait(condition, mutex)
                continue
            }
            if MonotonicTime.now >= limit { return nil }
            let reading = limit.reading.components
            var time = timespec(tv_sec: Int(reading.seconds), tv_nsec: Int(reading.attoseconds / 1_000_000_000))
            unsafe pthread_cond_timedwait(condition, mutex, &time)
        }
    }
}
