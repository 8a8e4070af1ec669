internal import Dispatch
internal import FrameStreaming
internal import Glibc

/// Runs `body` on a thread of its own. What waits for the network must neither hold up the window's thread nor sit on Swift's pool.
///
/// Unsafe code: the closure travels as a retained box, which the new thread alone takes over.
func startThread(_ body: @escaping @Sendable () -> Void) throws(FrameStreamingError) {
    let box = unsafe Unmanaged.passRetained(ThreadBody(run: body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
        &thread, nil,
        { argument in
            guard let argument = unsafe argument else { return nil }
            unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, box.toOpaque())
    guard code == 0 else {
        unsafe box.release()
        throw FrameStreamingError(
            .system, "no thread could be started: end other programs, or raise the limit (ulimit -u)", errno: code)
    }
    pthread_detach(thread)
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Ctrl-C and SIGTERM as an event and not as a sudden end. What has not ended 650 ms later is not waited for: a silent peer, a picture
/// that decodes for seconds. A second signal ends the process at once; one within 200 ms is the first, sent twice.
///
/// Unsafe code: the signal set and the time are locals that the calls get pointers to for as long as they run.
enum Interruption {
    /// Keeps both signals from every thread that is started from now on: call it before anything else.
    static func hold() {
        // Somebody who stops reading what is printed (`| head -1`) does not close the window.
        signal(SIGPIPE, SIG_IGN)
        var set = signals()
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for them on a thread of its own.
    ///
    /// - Parameters:
    ///   - late: Says what there is to say of a program that did not end in time.
    ///   - action: Asks the program to end, without waiting for it.
    static func take(
        late: @escaping @Sendable () -> Void, _ action: @escaping @Sendable () -> Void
    ) throws(FrameStreamingError) {
        try startThread {
            _ = next(until: nil)
            let first = MonotonicTime.now
            action()
            while let number = next(until: first.advanced(by: .milliseconds(650))) {
                if MonotonicTime.now.since(first) >= .milliseconds(200) { _exit(128 + number) }
            }
            // Not on this thread: what is printed may go into a pipe that nobody reads.
            let isSaid = DispatchSemaphore(value: 0)
            try? startThread {
                late()
                isSaid.signal()
            }
            _ = isSaid.wait(timeout: .now() + .milliseconds(300))
            _exit(0)
        }
    }

    /// The next signal; nil when none came in time.
    private static func next(until limit: MonotonicTime?) -> CInt? {
        var set = signals()
        while true {
            var number: CInt
            if let limit {
                let left = max(0, limit.nanoseconds - MonotonicTime.now.nanoseconds)
                var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
                number = unsafe sigtimedwait(&set, nil, &time)
                if number < 0, errno == EAGAIN { return nil }
            } else {
                number = unsafe sigwaitinfo(&set, nil)
            }
            if number > 0 { return number }
        }
    }

    private static func signals() -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGINT)
        unsafe sigaddset(&set, SIGTERM)
        return set
    }
}
