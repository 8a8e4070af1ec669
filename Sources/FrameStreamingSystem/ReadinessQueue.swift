internal import CLinux

/// Waits for many descriptors at once: epoll(7), whose cost is that of those that are ready, not of those that are watched.
///
/// Level-triggered: what was not read is there again at the next wait. Descriptors may be added and taken out while a thread waits.
package final class ReadinessQueue: Sendable {
    private let epoll: Descriptor

    /// Descriptors that one wait returns at most; the others come with the next.
    package static let mostAtOnce = 64

    package init() throws(SystemError) {
        epoll = Descriptor(try retryingInterrupts("epoll_create1") { fs_epoll() })
    }

    /// Waits for input on `descriptor` from now on, under the name `tag`. It must stay open until it is taken out.
    package func add(_ descriptor: Descriptor, tag: UInt64) throws(SystemError) {
        _ = try retryingInterrupts("epoll_ctl") { fs_epoll_watch(epoll.raw, descriptor.raw, tag, 0, 1) }
    }

    /// Waits for room to write as well, or no longer.
    package func change(_ descriptor: Descriptor, tag: UInt64, wantsOutput: Bool) throws(SystemError) {
        _ = try retryingInterrupts("epoll_ctl") {
            fs_epoll_watch(epoll.raw, descriptor.raw, tag, wantsOutput ? 1 : 0, 0)
        }
    }

    package func remove(_ descriptor: Descriptor) throws(SystemError) {
        _ = try retryingInterrupts("epoll_ctl") { fs_epoll_forget(epoll.raw, descriptor.raw) }
    }

    /// The tags of those that are ready, waited for until `deadline` (CLOCK_MONOTONIC nanoseconds, nil for ever), into the
    /// front of `tags`; how many there are, 0 when the deadline has passed.
    ///
    /// Unsafe code: epoll gets the pointer and the count of one and the same array.
    package func wait(_ tags: inout [UInt64], until deadline: Int64?) throws(SystemError) -> Int {
        let count = try retryingInterrupts("epoll_wait") {
            unsafe tags.withUnsafeMutableBufferPointer {
                unsafe fs_epoll_wait(epoll.raw, $0.baseAddress, CInt(clamping: $0.count), milliseconds(until: deadline))
            }
        }
        return Int(count)
    }
}
