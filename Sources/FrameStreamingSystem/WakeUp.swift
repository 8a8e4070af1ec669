internal import CLinux

/// An eventfd that ends waits. Once signalled it stays signalled, so a wait that begins later ends
/// too.
package final class WakeUp: Sendable {
    /// Becomes readable when signalled, so that a thread can wait for it as for a socket.
    package let descriptor: Descriptor

    package init() throws(SystemError) {
        let raw = try retryingInterrupts("eventfd") { fs_eventfd() }
        descriptor = Descriptor(raw)
    }

    /// Ends every wait that watches this wake-up, now and from now on. Any thread may call it, any
    /// number of times.
    package func signal() {
        // EAGAIN: the counter is full, so it is signalled already.
        _ = fs_eventfd_signal(descriptor.raw)
    }

    /// Takes all signals back. A thread that is woken repeatedly calls it before it checks what
    /// happened.
    package func clear() {
        // EAGAIN: it was not signalled.
        _ = fs_eventfd_clear(descriptor.raw)
    }
}
