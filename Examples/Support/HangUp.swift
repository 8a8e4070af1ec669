internal import Glibc

/// What a program does on SIGHUP, which otherwise would end it.
///
/// Unsafe code: the sets of signals are locals that the calls fill and read.
package enum HangUp {
    private static let actions = Locked<[@Sendable () -> Void]>([])

    /// Keeps the signal for ``onEach(_:)``. Called before any other thread is started, which would
    /// take it.
    package static func keep() {
        var signals = set()
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Does something at each SIGHUP from now on, on a thread of its own.
    package static func onEach(_ action: @escaping @Sendable () -> Void) {
        let isFirst = actions.withLock { actions in
            actions.append(action)
            return actions.count == 1
        }
        guard isFirst else { return }
        startThreadOrExit("reload") {
            var signals = set()
            while true {
                guard unsafe sigwaitinfo(&signals, nil) == SIGHUP else { continue }
                for action in actions.withLock({ $0 }) { action() }
            }
        }
    }

    private static func set() -> sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGHUP)
        return signals
    }
}

/// Leaves no core file behind a crash, which would have the program's secrets in it.
///
/// Unsafe code: the limit is a local that the call reads.
package func leaveNoCoreFile() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
}
