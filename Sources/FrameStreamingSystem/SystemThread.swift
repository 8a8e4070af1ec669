internal import CLinux
internal import Glibc

/// A thread outside Swift's cooperative pool, whose threads must not block. (Foundation.Thread
/// costs 50 ms at start and 50 MB in a static binary.)
package final class SystemThread: Sendable {
    /// Which thread it is, as long as that thread lives.
    package struct ID: Hashable, Sendable {
        private let thread: pthread_t

        /// The calling thread's.
        package static var current: ID { ID(thread: pthread_self()) }
    }

    private let done = Monitor(false)

    /// Starts `body` at once on a detached thread called `name` (the kernel keeps 15 bytes).
    ///
    /// - Parameter stackSize: Address space, of which only touched pages take memory. glibc keeps
    ///   the stacks of ended threads, up to 40 MiB of address space, each with about 20 kB of
    ///   memory: the larger a stack, the less memory is kept.
    package init(name: String, stackSize: Int = 4 << 20, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let done = done
        let start = ThreadStart(name: name) {
            body()
            done.update { $0 = true }
        }
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, stackSize)
        unsafe pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        // The box is retained here and released by the new thread, which is then its only user.
        let box = unsafe Unmanaged.passRetained(start)
        let code = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
                _ = unsafe fs_name_thread(start.name)
                start.body()
                return nil
            }, box.toOpaque())
        if code != 0 {
            unsafe box.release()
            throw SystemError("pthread_create", code: code)
        }
    }

    /// Waits until the body has returned; false when `deadline` (CLOCK_MONOTONIC nanoseconds)
    /// passes first.
    @discardableResult
    package func join(until deadline: Int64? = nil) -> Bool {
        done.wait(until: deadline) { $0 ? true : nil } ?? false
    }
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

/// Sleeps until `time` (CLOCK_MONOTONIC nanoseconds). For pacing; a wait that must be cancellable
/// uses a Monitor or a poll.
package func sleep(until time: Int64) {
    var target = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
    while unsafe clock_nanosleep(CLOCK_MONOTONIC, CInt(TIMER_ABSTIME), &target, nil) == EINTR {}
}
