internal import Glibc

/// Runs a write to a pipe, so that a reader that has gone is the error `EPIPE` and not a signal that
/// ends the process.
///
/// A library must not change what the process does with SIGPIPE. The kernel sends it to the thread
/// that writes (pipe(7)), so it is blocked in this thread, and taken off before it is unblocked.
///
/// Unsafe code: the sets and the time are locals, which the calls use only until they return.
package func withoutPipeSignal<Value>(_ write: () throws(SystemError) -> Value) throws(SystemError) -> Value {
    var pipe = sigset_t()
    unsafe sigemptyset(&pipe)
    unsafe sigaddset(&pipe, SIGPIPE)
    var pending = sigset_t()
    unsafe sigpending(&pending)
    // One that the program blocks and has not taken yet is its own.
    let isPending = unsafe sigismember(&pending, SIGPIPE) == 1
    var before = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, &pipe, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    do throws(SystemError) {
        return try write()
    } catch {
        if error.code == EPIPE, !isPending {
            var none = timespec()
            while unsafe sigtimedwait(&pipe, nil, &none) < 0, errno == EINTR {}
        }
        throw error
    }
}
