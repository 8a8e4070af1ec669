/// An event of a sender's connections, other than a frame.
@nonexhaustive
public enum SenderEvent: Sendable {
    /// A connection was made: the first, or another one after a break.
    case connected(Peer)
    /// The connection is gone, and another one will be made. The error is the reason;
    /// nil = the receiver said goodbye.
    case disconnected(Peer, error: FrameStreamingError?)
    /// No more frames are sent to this receiver: its connection broke and it cannot come back,
    /// it violated the protocol, it was given up, or, if the error is nil, it left. Not
    /// reported when the sender itself ends.
    case ended(Peer, error: FrameStreamingError?)
    /// No connection could be made to this address, for this reason. The next
    /// attempt follows after the duration.
    case waiting(address: String, error: FrameStreamingError, retryAfter: Duration)
    /// The receiver asked for something, and gets it.
    case requested(Peer, ReceiverRequest)
    /// The receiver asked for something impossible, and its request throws. A quality is impossible
    /// if several receivers share one encoding, or if the source's frames are encoded already.
    case refused(Peer, ReceiverRequest, error: FrameStreamingError)
    /// The source, or its end, waits for this receiver, which has made no progress for this long:
    /// no frame acknowledged, no byte taken, no connection made. It is given up after the second
    /// duration; nil = never (``SenderOptions/stallTimeout``, ``SenderOptions/drainTimeout``).
    /// Reported after 3 s, and then each time after twice as long.
    case stalled(Peer, duration: Duration, givesUpAfter: Duration?)
    /// The source has left out damaged frames (``SourceEvent/damaged(count:latest:)``).
    case sourceDamaged(count: Int, latest: FrameStreamingError)
    /// Under `reliable` the receivers take frames more slowly than the source gives them: the source
    /// has waited for connected receivers, for this much longer than they waited for it. Reported
    /// once, at 1 s. A source that can run at any speed is always held up.
    case sourceHeldUp(duration: Duration)
}

/// Whether a sender with a ``TransportProvider`` makes another connection after one has ended.
@nonexhaustive
public enum Reconnection: String, Sendable, CustomStringConvertible {
    /// There is one connection, and one attempt to make it.
    case never
    /// Connections are made until the receiver wants no more frames, or has failed. One that was
    /// stopped (``Goodbye/Code/stopped``) is waited for.
    case afterBreak
    /// Connections are made until this side ends: a receiver that left may come back.
    case always

    /// The name.
    public var description: String { rawValue }
}
