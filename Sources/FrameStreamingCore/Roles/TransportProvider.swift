/// Makes connections to one peer, or takes them at one port, again and again: what outlives a connection that breaks.
///
/// ``FrameSender`` calls from one thread at a time for each provider it was given; ``cancel()`` comes from any.
public protocol TransportProvider: Sendable {
    /// What it connects to or where it listens, for people: `receiver:5600`.
    var address: String { get }

    /// A connection whose handshake is complete, waiting for one until the deadline.
    ///
    /// - Throws: `timedOut` when there was none by the deadline. An error that ``FrameStreamingError/isTransient`` is worth another
    ///   attempt; any other will be the same next time.
    func nextTransport(until deadline: Deadline) throws(FrameStreamingError) -> any Transport

    /// Whether it waits for peers that come by themselves: then a deadline that passes says nothing about a peer, there is no
    /// use in pausing between two connections, and nothing that one peer does wrong, in its handshake or later, ends the stream: the next
    /// one is waited for. False unless implemented.
    var waitsForPeers: Bool { get }

    /// Ends a wait in ``nextTransport(until:)`` with `cancelled` within 100 ms, and every later one at once.
    func cancel()
}

extension TransportProvider {
    /// It goes to its peer.
    public var waitsForPeers: Bool { false }
}

extension FrameStreamingError {
    /// Whether the same attempt to connect, or to go on after a connection broke, may succeed later: nobody listens yet,
    /// the peer is restarted, the cable is out, too many are connected. False for what only a change of program or settings mends.
    public var isTransient: Bool {
        switch code {
        case .connectionFailed, .connectionLost, .endedWithoutGoodbye, .timedOut, .unresolvedHost, .busy, .system: true
        default: false
        }
    }

    /// Whether it says what was wrong with one peer of those that connect to a listener, and nothing about the next one.
    var isOfOnePeer: Bool {
        switch code {
        case .protocolViolation, .rejected, .limitExceeded, .busy: true
        default: false
        }
    }
}
