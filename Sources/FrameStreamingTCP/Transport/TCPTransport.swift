public import FrameStreamingCore
package import FrameStreamingSystem

/// One TCP connection that carries frames and acknowledgements, with either handshake.
///
/// It comes from ``connect(to:role:handshake:options:until:cancellation:)`` or from a
/// ``TCPListener``. `send`, `receive` and `close` may run on several threads at once. Keep one
/// thread in `receive`: it also answers the peer's PINGs, asks for the peer's clock, and, with the
/// text handshake, sends the frame that the peer asked for.
public final class TCPTransport: Transport {
    let connection: any Connection
    /// The same connection, if one thread can poll it together with others.
    private let watchable: (any WatchedConnection)?
    private let agreed: Peer
    /// Whether ``lend(to:)`` was called.
    let lent = Monitor(false)

    init(_ connection: any Connection, _ peer: Peer) {
        self.connection = connection
        watchable = connection as? any WatchedConnection
        agreed = peer
    }

    deinit { connection.close() }

    /// The peer, and what was agreed with it.
    ///
    /// Its `goodbye` is known once `receive` has returned nil. Its clock is known once the thread
    /// in `receive` has read an answer about it or, if the peer reads our clock, the first frame.
    public var peer: Peer {
        var peer = agreed
        peer.goodbye = connection.goodbye
        if let clock = connection.clock {
            peer.clockOffsetNanoseconds = clock.offset
            peer.clockErrorNanoseconds = clock.error
        }
        return peer
    }

    /// The time from a PING to its PONG, the median of the last three. Nil before
    /// the first one, half a minute after the last, and with the text handshake.
    ///
    /// Both ends ask eight times in the first second. Between machines both then go on, for the
    /// clock. On one machine a receiver asks no more, and a sender asks once a second, before a
    /// frame, from the first read of this property on.
    public var roundTrip: Duration? { connection.roundTrip.map { .nanoseconds($0) } }

    /// Writes a whole message.
    ///
    /// Raw frames with padding are packed tightly first. With the text handshake this announces a
    /// JPEG and returns, and does nothing for `sourceLost` and `sourceRestored`, which it cannot
    /// express.
    ///
    /// - Throws: `timedOut` if the socket did not take the message by the deadline. The written
    ///   part is remembered, and the same call finishes the message. `unsupported` for a pixel
    ///   format that the peer does not take, and for a request to a sender that takes none;
    ///   `limitExceeded` for a frame that is too large for the peer; `invalidArgument` for a
    ///   message that this side cannot send; `connectionLost`, also for a message that stalls
    ///   (``TCPOptions/standstillTimeout``) or moves too slowly (``TCPOptions/minimumRate``);
    ///   `closed`. An acknowledgement never waits, and so never times out.
    public func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        try connection.send(message, until: deadline)
    }

    /// Waits for the next message; nil once the peer has ended the connection cleanly.
    ///
    /// - Throws: `timedOut`; the part of a message that has arrived is kept. The connection is over
    ///   after `protocolViolation`, `limitExceeded` (a message is too large), `endedWithoutGoodbye`
    ///   and `connectionLost` (also for a message that stalls, or moves too slowly). `closed` after
    ///   ``close()``, unless the peer had ended the connection cleanly before: then it stays nil.
    public func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        try connection.receive(until: deadline)
    }

    /// Says goodbye or answers the peer's goodbye, waits for the peer's answer, and closes.
    ///
    /// The thread in `receive` gets the messages that arrive meanwhile, also afterwards. With the
    /// text handshake a sender waits for the last `ok` and sends `over`; a receiver can only close.
    /// After the goodbyes this waits at most 2 s more for the peer to close as well.
    ///
    /// - Throws: `timedOut`, `endedWithoutGoodbye` and other errors that end a connection. The peer
    ///   may have missed messages then.
    public func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
        try connection.finish(goodbye, until: deadline)
    }

    /// Ends the connection at once. May be called from any thread, and more than once.
    public func close() { connection.close() }
}

/// One thread polls the connections of a sender with several receivers.
extension TCPTransport: WatchedTransport {
    package var watched: Descriptor? { watchable?.watched }

    package func receiveArrived(into messages: inout [Message]) throws(FrameStreamingError) -> WatchedNeeds? {
        guard let watchable else {
            throw FrameStreamingError(
                .unsupported, "a connection with the text handshake cannot be polled: keep a thread in receive",
                subject: peer.address)
        }
        return try watchable.receiveArrived(into: &messages)
    }
}

/// A receiver asks for the estimate with every frame.
extension TCPTransport: ClockMeasuring {
    package var clockEstimate: ClockFilter.Estimate? { connection.clock }
    package var roundTripNanoseconds: Int64? { connection.roundTrip }
}

/// A receiver grants credit within the memory that its connection may use.
extension TCPTransport: MemoryLimited {
    package var frameMemory: Int? { connection.frameMemory }
}

/// A receiver counts how often it held its sender back.
extension TCPTransport: LimitCounting {
    package var limitCounts: LimitCounts { connection.holdBacks?.counts ?? LimitCounts() }
}

/// A sender tells a slow receiver from one that stalls by the bytes that have reached it.
extension TCPTransport: DeliveryProgress {
    /// Bytes that the peer's kernel has confirmed (TCP_INFO), including the protocol's own.
    package var deliveredBytes: UInt64? { connection.deliveredBytes }
}
