internal import Glibc

/// How a program shows its progress.
package enum ProgressForm: Hashable, Sendable {
    /// One line that is written over itself.
    case statusLine
    /// A line a second: the terminal cannot go back.
    case lines
    /// Not at all: the output is a file or another program.
    case hidden

    /// - Parameters:
    ///   - isTerminal: Whether the output is a terminal.
    ///   - type: The terminal's type, which is the variable `TERM`; nil = not set.
    package init(isTerminal: Bool, type: String?) {
        guard isTerminal else {
            self = .hidden
            return
        }
        self = [nil, "", "dumb"].contains(type) ? .lines : .statusLine
    }

    /// That of an output of this process.
    package init(of descriptor: CInt) {
        let type = unsafe getenv("TERM").map { unsafe String(cString: $0) }
        self.init(isTerminal: isTerminal(descriptor), type: type)
    }
}

package func isTerminal(_ descriptor: CInt) -> Bool { isatty(descriptor) == 1 }

/// The width of a terminal in columns.
///
/// Unsafe code: the call writes into a local.
package func terminalColumns(_ descriptor: CInt) -> Int {
    var size = winsize()
    // One that does not know its size, such as a serial line's, has 0 columns.
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
}

/// Calls `body` after each change of the terminal's size, on a thread of its own. It must be called
/// before any other thread is started.
///
/// Unsafe code: the signal sets are locals, which the calls use until they return.
package func watchTerminalSize(_ body: @escaping @Sendable () -> Void) {
    var all = sigset_t()
    var before = sigset_t()
    var resizing = sigset_t()
    unsafe sigfillset(&all)
    unsafe sigemptyset(&resizing)
    unsafe sigaddset(&resizing, SIGWINCH)
    // The thread takes no other signal: Ctrl-C is for those that the program starts later.
    unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
    let awaited = resizing
    startThreadOrExit("terminal") {
        var awaited = awaited
        while true { if unsafe sigwaitinfo(&awaited, nil) == SIGWINCH { body() } }
    }
    unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    // A blocked signal waits for that thread, and one that no thread blocks is thrown away.
    unsafe pthread_sigmask(SIG_BLOCK, &resizing, nil)
}
