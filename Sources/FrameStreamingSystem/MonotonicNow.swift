internal import Glibc

/// Returns CLOCK_MONOTONIC in nanoseconds, the clock of V4L2's capture stamps. (Swift's
/// ContinuousClock is CLOCK_BOOTTIME.)
package func monotonicNow() -> Int64 { read(CLOCK_MONOTONIC) }

/// Returns CLOCK_REALTIME minus CLOCK_MONOTONIC in nanoseconds, with which a peer converts a
/// monotonic stamp to calendar time.
///
/// The clocks are read one after another. If the thread was interrupted in between, they are read
/// again, so that two programs that read the same clocks agree to within some microseconds.
package func realtimeOffset() -> Int64 {
    var (best, shortest): (Int64, Int64) = (0, .max)
    for _ in 0..<8 {
        let before = read(CLOCK_MONOTONIC)
        let calendar = read(CLOCK_REALTIME)
        let span = read(CLOCK_MONOTONIC) - before
        if span < shortest { (best, shortest) = (calendar - before - span / 2, span) }
        if shortest < 2_000 { break }
    }
    return best
}

private func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    // Cannot fail: both clocks exist on every Linux, and the pointer is valid.
    _ = unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Returns the CPU time (user and system) that this process has used so far, in nanoseconds.
package func processCPUTime() -> Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }
