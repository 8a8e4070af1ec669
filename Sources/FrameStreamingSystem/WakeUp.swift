internal import CLinux

/// An eventfd that ends waits: once signalled it stays signalled, so a wait that begins later ends too.
package final class WakeUp: Sendable {
    /// Readable once signalled: for those who wait for it like for a socket.
    package let descriptor: Descriptor

    package init() throws(SystemError) {
        let raw = try retryingInterrupts("eventfd") { fs_eventfd() }
        descriptor = Descriptor(raw)
    }

    /// Ends every wait that looks at this, now and from now on. From any thread, any number of times.
    package func signal() {
        // EAGAIN means that the counter is full: it is signalled, which is what was asked for.
        _ = fs_eventfd_signal(descriptor.raw)
    }
}
