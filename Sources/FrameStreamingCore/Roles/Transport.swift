/// One connection that carries messages in both directions, in order, and
/// bounds the frames in flight by credit.
///
/// `send` and `receive` may run at once on two threads, and `close` on a third; `send` may be
/// called from several. Each side keeps one thread in `receive` as long as the connection lives,
/// which also answers the transport's own messages.
public protocol Transport: Sendable {
    /// The peer at the other end, and what was agreed with it. Known from the start.
    var peer: Peer { get }

    /// How long a small message and its answer take there and back, from program to program, as
    /// measured lately. It excludes the answerer's own time and, as far as possible, the load of
    /// the link. Nil, the default, = not known.
    ///
    /// A sender with an adaptive window reads it with each acknowledgement, and tries no
    /// larger window that could not gain anything. A transport that must send something to
    /// measure may begin when this is first read.
    var roundTrip: Duration? { get }

    /// Hands over a message. When this returns, the connection delivers it, in order.
    ///
    /// - Throws: `timedOut` if the connection could not take it by the deadline: call again
    ///   with the same message, and nothing is sent twice. `invalidArgument`, `limitExceeded` or
    ///   `unsupported` for a message that the connection does not carry, such as a frame beyond
    ///   the peer's limit: nothing of it was sent, and the connection still works. A
    ///   ``FrameSender`` then ends it with a goodbye that has the reason. `closed` after
    ///   ``close()``; anything else ends the connection.
    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError)

    /// Returns the next message, or nil when the peer has ended cleanly.
    ///
    /// - Throws: `timedOut` if none arrived by the deadline; a part of one is kept.
    ///   `endedWithoutGoodbye`, `protocolViolation`, `connectionLost`, ... end the
    ///   connection; `closed` after ``close()``.
    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message?

    /// Ends cleanly: says goodbye, or answers the peer's, and waits until the peer has received
    /// everything. The goodbye's code and text are sent if the transport has a message for them. It
    /// ends with ``close()``, whatever happens.
    ///
    /// Messages that arrive meanwhile are delivered to the thread in `receive`, if any.
    func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError)

    /// Ends at once, from any thread and any number of times. Every wait in
    /// this connection ends within 100 ms.
    func close()
}

extension Transport {
    /// Not known.
    public var roundTrip: Duration? { nil }
}
