/// Makes connections to one peer, or accepts them at one port, one after another. It
/// outlives each of its connections.
///
/// ``FrameSender`` calls each provider from one thread at a time, except for
/// ``cancel()``, which any thread may call.
public protocol TransportProvider: Sendable {
    /// The address to which it connects, or on which it listens, for people: `receiver:5600`.
    var address: String { get }

    /// Waits until the deadline for a connection whose handshake is complete.
    ///
    /// - Throws: `timedOut` if there was none by the deadline. After an error with
    ///   ``FrameStreamingError/isTransient`` another attempt may succeed; after any
    ///   other it would fail in the same way.
    func nextTransport(until deadline: Deadline) throws(FrameStreamingError) -> any Transport

    /// Whether it waits for peers that connect by themselves. Then a passed deadline is no failure,
    /// there is no pause between two connections, and a fault of one peer, in its handshake or
    /// later, does not end the stream: the sender waits for the next one. False by default.
    var waitsForPeers: Bool { get }

    /// Ends a wait in ``nextTransport(until:)`` with `cancelled` within 100
    /// ms, and every later one at once.
    func cancel()
}

extension TransportProvider {
    /// False: the provider connects to its peer.
    public var waitsForPeers: Bool { false }
}
