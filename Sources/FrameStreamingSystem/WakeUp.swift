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

    /// Takes every signal so far back: for a thread that is woken again and again, and looks at what happened after this.
    package func clear() {
        // EAGAIN: it was not signalled.
        _ = fs_eventfd_clear(descriptor.raw)
    }
}
