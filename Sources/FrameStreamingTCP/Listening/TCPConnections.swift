public import FrameStreamingCore

extension TCPListener {
    /// The connections that peers make, as an asynchronous sequence: `for try await transport in
    /// listener.connections`.
    ///
    /// Each handshake has a thread of its own, so a peer that says nothing delays no other, and one
    /// that fails is passed over. Up to 64 peers may wait for the loop; more are turned away. The
    /// task owns each connection from then on.
    ///
    /// Peers are accepted from the first element on, as long as the iterator lives. Leaving the
    /// loop closes the connections that it did not take, and the listener goes on. The sequence
    /// ends when the task is cancelled, within 100 ms, and after ``stop()`` or ``close()``.
    public var connections: TCPConnections { connections { _ in } }

    /// As ``connections``, and reports what it passes over, which ``connections`` ignores.
    ///
    /// - Parameter onError: Called, from any thread, for each peer that failed in its handshake or
    ///   was turned away, and with `system` while no descriptor or thread is left.
    public func connections(onError: @escaping @Sendable (any Error) -> Void) -> TCPConnections {
        TCPConnections(listener: self, onError: onError)
    }
}

/// Connections as they come: see ``TCPListener/connections``.
public struct TCPConnections: AsyncSequence, Sendable {
    /// A connection whose handshake is complete.
    public typealias Element = TCPTransport
    /// `closed`, with an errno, if the listening socket is broken; `system` if no thread could be
    /// started.
    public typealias Failure = FrameStreamingError

    let listener: TCPListener
    let onError: @Sendable (any Error) -> Void

    /// Creates an iterator. It begins to accept peers when it is asked for the first.
    public func makeAsyncIterator() -> Iterator { Iterator(accepting: AcceptingThread(listener, onError)) }

    /// Waits for connections without blocking.
    public struct Iterator: AsyncIteratorProtocol {
        let accepting: AcceptingThread

        /// The next connection. Nil if the task was cancelled, and when the listener has stopped.
        public mutating func next() async throws(FrameStreamingError) -> TCPTransport? {
            try await accepting.next()
        }

        /// The next connection, for callers on any actor.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(FrameStreamingError) -> TCPTransport? {
            try await accepting.next()
        }
    }
}
