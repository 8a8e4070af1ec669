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

/// Ctrl-C and SIGTERM as an event and not as a sudden end. A second one, two seconds later or more, ends the process at once.
///
/// Unsafe code: the signal set is a local that the calls get a pointer to for as long as they run.
enum Interruption {
    /// Keeps both signals from every thread that is started from now on: call it before anything else.
    static func hold() {
        // Somebody who stops reading what is printed (`| head -1`) does not close the window.
        signal(SIGPIPE, SIG_IGN)
        var set = signals()
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for them on a thread of its own.
    static func take(_ action: @escaping @Sendable () -> Void) throws(FrameStreamingError) {
        try startThread {
            var set = signals()
            var first: MonotonicTime?
            while true {
                var number: CInt = 0
                guard unsafe sigwait(&set, &number) == 0 else { continue }
                if let first {
                    if MonotonicTime.now.since(first) >= .seconds(2) { exit(128 + number) }
                } else {
                    first = .now
                    action()
                }
            }
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
