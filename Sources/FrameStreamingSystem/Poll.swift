package import Glibc

/// The reason why a wait on a descriptor ended.
package enum Readiness: Hashable, Sendable {
    /// The revents of `poll`: which of the requested events occurred, or POLLERR, POLLHUP,
    /// POLLNVAL.
    case ready(Int16)
    case timedOut
    /// The wake-up was signalled.
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

/// Converts the time until `deadline` (CLOCK_MONOTONIC nanoseconds) to milliseconds for poll and
/// epoll; -1 = for ever. Rounded up, so that they are not called repeatedly just before the
/// deadline.
func milliseconds(until deadline: Int64?) -> CInt {
    let left = deadline.map { max(0, $0 - monotonicNow()) }
    return left.map { CInt(clamping: $0 / 1_000_000 + ($0 % 1_000_000 == 0 ? 0 : 1)) } ?? -1
}

/// Waits for one descriptor, and is the only function that does. Ends when one of `events` occurs,
/// when `deadline` (CLOCK_MONOTONIC nanoseconds, nil = never) has passed, or when `wakeUp` is
/// signalled. A wake-up wins over readiness, so a busy peer cannot outrun a cancel.
package func wait(
    for events: Int16, on descriptor: CInt, until deadline: Int64?, wakeUp: WakeUp?
) throws(SystemError) -> Readiness {
    while true {
        var pair = (
            pollfd(fd: wakeUp?.descriptor.raw ?? -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: events, revents: 0)
        )
        // Both elements of the homogeneous tuple are adjacent pollfds, and poll gets their exact
        // count.
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

/// Waits for many descriptors at once, until one of their events occurs or `deadline`
/// (CLOCK_MONOTONIC nanoseconds, nil = never) has passed. Sets each `revents`, and returns how many
/// descriptors have an event.
package func wait(for descriptors: inout [pollfd], until deadline: Int64?) throws(SystemError) -> Int {
    while true {
        // The pointer and the count belong to the same array.
        let count = unsafe descriptors.withUnsafeMutableBufferPointer {
            unsafe poll($0.baseAddress, nfds_t($0.count), milliseconds(until: deadline))
        }
        if count >= 0 { return Int(count) }
        let code = errno
        if code != EINTR { throw SystemError("poll", code: code) }
    }
}

/// Waits until one of the descriptors is readable, or `deadline` (CLOCK_MONOTONIC
/// nanoseconds, nil = never) has passed.
package func waitForInput(on descriptors: [Descriptor], until deadline: Int64?) throws(SystemError) {
    var waiting = descriptors.map { pollfd(fd: $0.raw, events: PollEvents.input, revents: 0) }
    _ = try wait(for: &waiting, until: deadline)
}
