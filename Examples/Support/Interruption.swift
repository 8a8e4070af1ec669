internal import FrameStreaming
internal import Glibc

/// Ctrl-C and SIGTERM as an event and not as a sudden end: the program is asked to end, and has a
/// moment to do so.
///
/// The first signal runs the action that was last set with ``does(lastWords:_:)``. The process does
/// not wait longer than 650 ms for a silent peer, a frame that decodes for seconds, or a browser
/// that does not read: it prints its summary and exits. If its output is not read, it gives up
/// printing after 300 ms. On a machine that is too busy, printing may take two seconds more, so
/// that the summary is not lost.
///
/// A second signal ends the process at once, with the status of a program that died of it (130,
/// 143). One within 200 ms of the first is part of it: `timeout` and `make` send it to the process
/// and to its group.
///
/// Unsafe code: the signal set, the time and the descriptors are locals. The calls get pointers to
/// them, and use them only until they return.
package final class Interruption: Sendable {
    private struct State {
        /// Nil before the program has begun anything: then it exits at once.
        var action: (@Sendable () -> Void)?
        var lastWords: @Sendable () -> CInt
        var happened = false
        /// Whether the summary was printed or is being printed.
        var isConcluding = false
        /// The status that goes with the summary, once it is printed.
        var status: CInt?
    }

    private let state: Locked<State>
    private let outputs: @Sendable () -> [CInt]
    private let announce: @Sendable (CInt) -> Void

    /// How long the program has to end by itself.
    private static let patience = Duration.milliseconds(650)
    /// How long printing the summary may take after that, if the output is not read.
    private static let printing = Duration.milliseconds(300)
    /// How long printing may take if the output is read, but the machine is too busy.
    private static let slowPrinting = Duration.milliseconds(2_300)
    /// A signal that comes so soon after the first is the same one, sent twice.
    private static let echo = Duration.milliseconds(200)

    /// Handles both signals from here on. It must be made before any other thread.
    ///
    /// - Parameters:
    ///   - outputs: The descriptors that the summary is printed on.
    ///   - announce: Says that the program is about to end, for the number of the first signal. It is
    ///     not called while the output takes nothing.
    ///   - lastWords: Prints the summary of a program that has nothing to sum up yet, and
    ///     returns its status.
    package init(
        outputs: @escaping @Sendable () -> [CInt] = { [STDOUT_FILENO, STDERR_FILENO] },
        announce: @escaping @Sendable (CInt) -> Void, lastWords: @escaping @Sendable () -> CInt
    ) {
        self.outputs = outputs
        self.announce = announce
        // A closed output (`| head -1`) does not end the work: only the write fails.
        signal(SIGPIPE, SIG_IGN)
        // Nor does a limit on the size of files: the write fails, as on a full disk.
        signal(SIGXFSZ, SIG_IGN)
        state = Locked(State(action: nil, lastWords: lastWords))
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        // Blocked in this thread and in all that it starts from now
        // on; only the one below takes them.
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        let waiting = signals
        startThreadOrExit("signals") { [self] in
            let number = Self.next(of: waiting, until: nil) ?? SIGTERM
            let first = MonotonicTime.now
            interrupt(number)
            while let number = Self.next(of: waiting, until: first.advanced(by: Self.patience)) {
                if first.duration(to: .now) >= Self.echo { _exit(128 + number) }
            }
            // This thread does not wait for the summary, which may be
            // stuck in a pipe without a reader.
            startThreadOrExit("summary") { [self] in _ = conclude() }
            let start = MonotonicTime.now
            var limit = start.advanced(by: Self.printing)
            repeat {
                if let status: CInt = state.wait(until: limit, { $0.status }) { _exit(status) }
                limit = MonotonicTime.now.advanced(by: .milliseconds(50))
            } while start.duration(to: .now) < Self.slowPrinting && outputTakesMore
            _exit(0)
        }
    }

    /// Whether none of the outputs is a full pipe, or a terminal that was stopped.
    private var outputTakesMore: Bool {
        var outputs = self.outputs().map { pollfd(fd: $0, events: Int16(POLLOUT), revents: 0) }
        return unsafe poll(&outputs, nfds_t(outputs.count), 0) == outputs.count
    }

    /// The next signal; nil when none came in time.
    private static func next(of signals: sigset_t, until limit: MonotonicTime?) -> CInt? {
        var set = signals
        while true {
            var number: CInt
            if let limit {
                let left = max(.zero, MonotonicTime.now.duration(to: limit)).components
                var time = timespec(tv_sec: Int(left.seconds), tv_nsec: Int(left.attoseconds / 1_000_000_000))
                number = unsafe sigtimedwait(&set, nil, &time)
                if number < 0, errno == EAGAIN { return nil }
            } else {
                number = unsafe sigwaitinfo(&set, nil)
            }
            if number > 0 { return number }
        }
    }

    private func interrupt(_ number: CInt) {
        let (action, isConcluding) = state.withLock { state in
            state.happened = true
            return (state.action, state.isConcluding)
        }
        // Not on this thread, which must see the second signal, whatever the first one waits for.
        startThreadOrExit("interrupt") { [self] in
            if !isConcluding, outputTakesMore { announce(number) }
            if let action { action() } else if !isConcluding { exit(conclude()) }
        }
    }

    /// Whether a signal came.
    package var happened: Bool { state.withLock { $0.happened } }

    /// Sets what an interruption does from now on. If one has happened, it does so at once.
    ///
    /// - Parameters:
    ///   - lastWords: Prints the summary of what was done until now, and
    ///     returns the status to exit with.
    ///   - action: Makes the program end, without waiting for it.
    package func does(
        lastWords: @escaping @Sendable () -> CInt, _ action: @escaping @Sendable () -> Void
    ) {
        let happened = state.withLock { state in
            state.action = action
            state.lastWords = lastWords
            return state.happened
        }
        if happened { action() }
    }

    /// Prints the summary once, at the program's end or when its time is up, whichever is first.
    ///
    /// - Returns: The status to exit with. A second caller does not return,
    ///   because the process is about to exit.
    package func conclude() -> CInt {
        let lastWords: (@Sendable () -> CInt)? = state.withLock { state in
            if state.isConcluding { return nil }
            state.isConcluding = true
            return state.lastWords
        }
        guard let lastWords else {
            while true { _ = state.wait(until: nil) { _ -> Void? in nil } }
        }
        let status = lastWords()
        state.withLock { $0.status = status }
        return status
    }
}
