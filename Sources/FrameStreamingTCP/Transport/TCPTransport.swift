public import FrameStreamingCore
package import FrameStreamingSystem

/// One TCP connection that carries frames and acknowledgements, by either handshake.
///
/// Comes from ``connect(to:role:handshake:options:until:cancellation:)`` or from a ``TCPListener``. `send`, `receive` and `close`
/// may run at once on several threads; the thread in `receive` also answers the peer's PINGs, sends such for the peer's clock, reads
/// the answers, and, with the text handshake, sends the picture that the peer asked for: so one must be kept there.
public final class TCPTransport: Transport {
    let connection: any Connection
    /// The same, where it can be listened to together with others.
    private let watchable: (any WatchedConnection)?
    private let agreed: Peer

    init(_ connection: any Connection, _ peer: Peer) {
        self.connection = connection
        watchable = connection as? any WatchedConnection
        agreed = peer
    }

    deinit { connection.close() }

    /// Who is at the other end. `goodbye` is there as soon as `receive` has returned nil, and the clock as soon
    /// as the thread in `receive` has read an answer about it or, where the peer reads ours, the first frame.
    public var peer: Peer {
        var peer = agreed
        peer.goodbye = connection.goodbye
        if let clock = connection.clock {
            peer.clockOffset = clock.offset
            peer.clockError = clock.error
        }
        return peer
    }

    /// What a PING and its PONG take, in nanoseconds: the middle one of the last three. Nil before the first, with the text handshake, and
    /// half a minute after the last.
    ///
    /// Both ends ask eight times in the first second. On one machine a sender then asks once a second from when this is read first, before a
    /// frame, and a receiver asks no more; between machines both go on, for the clock.
    public var roundTrip: Int64? { connection.roundTrip }

    /// Writes a message whole.
    ///
    /// Raw pictures with padding are packed tightly first. With the text handshake this announces a JPEG and returns, and a source
    /// that is lost or back is not told, for there is no word for it.
    ///
    /// - Throws: `timedOut` when the message did not go by the deadline: the part that went is remembered, and the same
    ///   call finishes it. `unsupported` for a pixel format that the peer does not take and for a request to a sender that takes none,
    ///   `limitExceeded` for a frame that is too large for it; `invalidArgument` for a message that this side cannot send;
    ///   `connectionLost`, also where a message stands still (``TCPOptions/standstillTimeout``) or moves too slowly
    ///   (``TCPOptions/minimumRate``); `closed`. An acknowledgement never waits, and so never times out.
    public func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        try connection.send(message, until: deadline)
    }

    /// The next message; nil when the peer ended in good order.
    ///
    /// - Throws: `timedOut`: what came of a message is kept. `protocolViolation`, `limitExceeded` (too large),
    ///   `endedWithoutGoodbye`, `connectionLost` (also: a message stands still, or moves too slowly): the connection is over. `closed` after ``close()``, unless the connection had ended
    ///   in good order before: that stays nil.
    public func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        try connection.receive(until: deadline)
    }

    /// Says goodbye or answers the peer's, waits for the peer's answer, and closes.
    ///
    /// What comes meanwhile is there for the thread in `receive`, also afterwards. With the text handshake a sender waits for the last `ok` and says `over`; a receiver can only close. Once all was said, it
    /// waits at most 2 s more for the peer to close, too.
    ///
    /// - Throws: `timedOut`, `endedWithoutGoodbye` and what else ends a connection: the peer may not have had everything.
    public func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
        try connection.finish(goodbye, until: deadline)
    }

    /// Ends at once: from any thread, again and again.
    public func close() { connection.close() }
}

/// Several receivers of a sender are listened to on one thread.
extension TCPTransport: WatchedTransport {
    package var watched: Descriptor? { watchable?.watched }

    package func receiveArrived(into messages: inout [Message]) throws(FrameStreamingError) -> WatchedNeeds? {
        guard let watchable else {
            throw FrameStreamingError(
                .unsupported, "a connection of the text handshake is listened to by receive alone",
                subject: peer.address)
        }
        return try watchable.receiveArrived(into: &messages)
    }
}

/// What is known of the peer's clock is asked for with every frame.
extension TCPTransport: ClockMeasuring {
    package var clockEstimate: ClockFilter.Estimate? { connection.clock }
}

/// How far ahead of its consumer a sender may be depends on the memory that its frames take.
extension TCPTransport: MemoryLimited {
    package var frameMemory: Int? { connection.frameMemory }
}

/// A sender tells a slow receiver from one that stalls by the bytes that have reached it.
extension TCPTransport: DeliveryProgress {
    /// What the peer's kernel has confirmed (TCP_INFO), the protocol's own bytes included.
    package var deliveredBytes: UInt64? { connection.deliveredBytes }
}
