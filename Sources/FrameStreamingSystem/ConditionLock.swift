internal import Glibc

/// The lock and the condition of a ``Monitor``.
///
/// Wraps pthread's own, which the thread sanitizer understands. It reports false races in
/// Synchronization.Mutex.
///
/// Unsafe code: the two pthread objects live at a fixed address from init to deinit, as pthread
/// requires.
@safe @usableFromInline final class ConditionLock: @unchecked Sendable {
    @safe private struct Objects {
        var mutex = unsafe pthread_mutex_t()
        var condition = pthread_cond_t()
    }

    private let objects: UnsafeMutablePointer<Objects>
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    @usableFromInline init() {
        let objects = UnsafeMutablePointer<Objects>.allocate(capacity: 1)
        unsafe objects.initialize(to: Objects())
        unsafe self.objects = objects
        guard let mutex = unsafe objects.pointer(to: \.mutex), let condition = unsafe objects.pointer(to: \.condition)
        else { preconditionFailure("stored properties have addresses") }
        unsafe self.mutex = mutex
        unsafe self.condition = condition
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
        unsafe objects.deallocate()
    }

    @usableFromInline func lock() { unsafe pthread_mutex_lock(mutex) }
    @usableFromInline func unlock() { unsafe pthread_mutex_unlock(mutex) }
    @usableFromInline func wakeAll() { unsafe pthread_cond_broadcast(condition) }

    /// Releases the lock, which the caller holds, until a wake-up, which may be spurious. Returns
    /// false when `deadline` has passed. The lock is held again in either case.
    @usableFromInline func wait(until deadline: Int64?) -> Bool {
        guard let deadline else {
            unsafe pthread_cond_wait(condition, mutex)
            return true
        }
        if monotonicNow() >= deadline { return false }
        var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        unsafe pthread_cond_timedwait(condition, mutex, &time)
        return true
    }
}
