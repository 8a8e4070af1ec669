internal import CLinux

/// Waits for many descriptors at once with epoll(7), whose cost grows with the ready descriptors
/// and not with the watched ones.
///
/// Level-triggered: unread input is reported again by the next wait. Descriptors may be added and
/// removed while a thread waits.
package final class ReadinessQueue: Sendable {
    private let epoll: Descriptor

    /// The largest number of descriptors that one wait returns; the next wait returns the others.
    package static let mostAtOnce = 64

    package init() throws(SystemError) {
        epoll = Descriptor(try retryingInterrupts("epoll_create1") { fs_epoll() })
    }

    /// Starts to wait for input on `descriptor`, under the name `tag`. The descriptor must stay
    /// open until it is removed.
    package func add(_ descriptor: Descriptor, tag: UInt64) throws(SystemError) {
        _ = try retryingInterrupts("epoll_ctl") { fs_epoll_watch(epoll.raw, descriptor.raw, tag, 0, 1) }
    }

    /// Starts or stops to wait for room to write as well.
    package func change(_ descriptor: Descriptor, tag: UInt64, wantsOutput: Bool) throws(SystemError) {
        _ = try retryingInterrupts("epoll_ctl") {
            fs_epoll_watch(epoll.raw, descriptor.raw, tag, wantsOutput ? 1 : 0, 0)
        }
    }

    package func remove(_ descriptor: Descriptor) throws(SystemError) {
        _ = try retryingInterrupts("epoll_ctl") { fs_epoll_forget(epoll.raw, descriptor.raw) }
    }

    /// Waits until descriptors are ready, or until `deadline` (CLOCK_MONOTONIC nanoseconds, nil =
    /// never). Writes their tags to the front of `tags`, and returns their number; 0 when the
    /// deadline has passed.
    ///
    /// Unsafe code: epoll gets the pointer and the count of the same array.
    package func wait(_ tags: inout [UInt64], until deadline: Int64?) throws(SystemError) -> Int {
        let count = try retryingInterrupts("epoll_wait") {
            unsafe tags.withUnsafeMutableBufferPointer {
                unsafe fs_epoll_wait(epoll.raw, $0.baseAddress, CInt(clamping: $0.count), milliseconds(until: deadline))
            }
        }
        return Int(count)
    }
}
