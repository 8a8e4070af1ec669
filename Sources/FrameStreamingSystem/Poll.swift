package import Glibc

/// What ended a wait on a descriptor.
package enum Readiness: Hashable, Sendable {
    /// `poll`'s revents: what of the asked-for is there, or POLLERR, POLLHUP, POLLNVAL.
    case ready(Int16)
    case timedOut
    /// Somebody signalled the wake-up.
    case woken
}

package enum PollEvents {
    package static let input = Int16(POLLIN)
    package static let output = Int16(POLLOUT)
    package static let priority = Int16(POLLPRI)
    package static let error = Int16(POLLERR)
    package static let hangUp = Int16(POLLHUP)
    package static let invalid = Int16(POLLNVAL)
}

/// From now to `deadline` (CLOCK_MONOTONIC nanoseconds) as poll and epoll count: rounded up, so that they are not called again and again
/// just before it; -1 = for ever.
func milliseconds(until deadline: Int64?) -> CInt {
    let left = deadline.map { max(0, $0 - monotonicNow()) }
    return left.map { CInt(clamping: $0 / 1_000_000 + ($0 % 1_000_000 == 0 ? 0 : 1)) } ?? -1
}

/// The one place that waits for a descriptor: until `events` are there, `deadline` (CLOCK_MONOTONIC nanoseconds, nil for
/// ever) has passed, or `wakeUp` is signalled. A wake-up wins over readiness, so a busy peer cannot outrun a cancel.
package func wait(
    for events: Int16, on descriptor: CInt, until deadline: Int64?, wakeUp: WakeUp?
) throws(SystemError) -> Readiness {
    while true {
        var pair = (
            pollfd(fd: wakeUp?.descriptor.raw ?? -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: events, revents: 0)
        )
        // Both elements of the homogeneous tuple are adjacent pollfds, and poll gets their exact count.
        let count = unsafe withUnsafeMutableBytes(of: &pair) { bytes in
            unsafe poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, milliseconds(until: deadline))
        }
        if count == -1 {
            let code = errno
            if code == EINTR { continue }
            throw SystemError("poll", code: code)
        }
        if pair.0.revents != 0 { return .woken }
        if pair.1.revents != 0 { return .ready(pair.1.revents) }
        if let deadline, monotonicNow() >= deadline { return .timedOut }
    }
}

/// Waits for many descriptors at once: until one has what it asks for, or `deadline` (CLOCK_MONOTONIC nanoseconds, nil for ever) has
/// passed. What is there is in each `revents`; returns how many have something.
package func wait(for descriptors: inout [pollfd], until deadline: Int64?) throws(SystemError) -> Int {
    while true {
        // The pointer and the count are of one and the same array.
        let count = unsafe descriptors.withUnsafeMutableBufferPointer {
            unsafe poll($0.baseAddress, nfds_t($0.count), milliseconds(until: deadline))
        }
        if count >= 0 { return Int(count) }
        let code = errno
        if code != EINTR { throw SystemError("poll", code: code) }
    }
}
