internal import Glibc

/// Runs what starts threads of another library, so that they take none of the process's signals: those
/// are for the program's own threads, which know what to do.
///
/// Unsafe code: the sets are locals, and the calls use them only until they return.
package func withSignalsHeld<Value>(_ body: () -> Value) -> Value {
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    return body()
}
