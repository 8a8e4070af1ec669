internal import Glibc

/// CLOCK_MONOTONIC in nanoseconds: the clock of V4L2's capture stamps. (Swift's ContinuousClock is CLOCK_BOOTTIME.)
package func monotonicNow() -> Int64 { read(CLOCK_MONOTONIC) }

/// CLOCK_REALTIME minus CLOCK_MONOTONIC in nanoseconds: lets a peer put a monotonic stamp on a calendar.
package func realtimeOffset() -> Int64 { read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC) }

private func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    // Cannot fail: both clocks exist on every Linux and the pointer is good.
    _ = unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// CPU time (user and system) that this process has used so far, in nanoseconds.
package func processCPUTime() -> Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }
