internal import Glibc

/// What a program does on SIGUSR1, which otherwise would end it.
///
/// Unsafe code: the sets of signals are locals that the calls fill and read.
package enum UserSignal {
    /// Keeps the signal for ``onEach(_:)``. Called before any other thread is started, which would
    /// take it.
    package static func keep() {
        var signals = set()
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Does something at each SIGUSR1 from now on, on a thread of its own. Called once.
    package static func onEach(_ action: @escaping @Sendable () -> Void) {
        startThreadOrExit("trigger") {
            var signals = set()
            while true {
                if unsafe sigwaitinfo(&signals, nil) == SIGUSR1 { action() }
            }
        }
    }

    private static func set() -> sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGUSR1)
        return signals
    }
}
