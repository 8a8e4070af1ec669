internal import FrameStreaming
internal import FrameStreamingSystem
internal import Glibc

/// Ctrl-C and SIGTERM as an event and not as a sudden end: a thread waits for them and does what was last asked for.
///
/// A second one within two seconds is ignored, because the summary is being written; a later one ends the process at once.
///
/// Unsafe code: the signal set is a local that the calls get a pointer to for as long as they run.
package final class Interruption: Sendable {
    private struct State {
        var action: @Sendable () -> Void
        var happened = false
    }

    private let state: Monitor<State>

    /// Takes both signals from here on: make one before any other thread.
    package init(_ action: @escaping @Sendable () -> Void) {
        // Somebody who stops reading what is printed (`| head -1`) does not end the work: the write fails, and that is all.
        signal(SIGPIPE, SIG_IGN)
        state = Monitor(State(action: action))
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        // Blocked in this thread and in all that it starts from now on; only the one below takes them.
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        let waiting = signals
        startThread("signals") { [self] in
            var set = waiting
            var first: MonotonicTime?
            while true {
                var number: CInt = 0
                guard unsafe sigwait(&set, &number) == 0 else { continue }
                if let first {
                    if MonotonicTime.now.since(first) >= .seconds(2) { exit(128 + number) }
                } else {
                    first = .now
                    interrupt()
                }
            }
        }
    }

    private func interrupt() {
        let action = state.withLock { state in
            state.happened = true
            return state.action
        }
        action()
    }

    /// Whether one came.
    package var happened: Bool { state.withLock { $0.happened } }

    /// What an interruption does from now on; at once, if it came already.
    package func does(_ action: @escaping @Sendable () -> Void) {
        let happened = state.withLock { state in
            state.action = action
            return state.happened
        }
        if happened { action() }
    }
}

/// Runs `body` on a thread of its own, which nobody waits for. Without threads the program cannot do its work: it ends.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    do throws(SystemError) {
        _ = try SystemThread(name: name, body)
    } catch {
        printError("no thread could be started: \(error.reason)")
        exit(1)
    }
}
