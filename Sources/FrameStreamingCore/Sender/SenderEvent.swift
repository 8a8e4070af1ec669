/// What happens to a sender's connections beside its frames.
@nonexhaustive
public enum SenderEvent: Sendable {
    /// There is a connection: the first, or another after one broke.
    case connected(Peer)
    /// The connection is gone and another will be tried; the error says why, nil = the receiver said goodbye.
    case disconnected(Peer, error: FrameStreamingError?)
    /// Nothing more goes to this receiver: it broke and cannot come back, did what the protocol does not allow, was given up, or, where
    /// the error is nil, left. Not said where the sender itself ends.
    case ended(Peer, error: FrameStreamingError?)
    /// No connection could be made to this address, for this reason; the next attempt follows after so long.
    case waiting(address: String, error: FrameStreamingError, retryAfter: Duration)
    /// The receiver asked for something, and gets it.
    case requested(Peer, ReceiverRequest)
    /// The receiver asked for what is impossible, and is told so: a quality where several receivers
    /// share one encoding, or where the source's frames are compressed already.
    case refused(Peer, ReceiverRequest, error: FrameStreamingError)
    /// The source, or its end, waits for this receiver, which has stood still for so long: not a frame acknowledged, not a byte taken, no
    /// connection made. It is given up after so much more; nil = never (``SenderOptions/stallTimeout``, ``SenderOptions/drainTimeout``).
    /// Said after 3 s, and each time that it has been twice as long as the last time.
    case stalled(Peer, duration: Duration, givesUpAfter: Duration?)
}

/// Whether a sender makes another connection when one has ended, where it was given a ``TransportProvider``.
@nonexhaustive
public enum Reconnection: String, Sendable, CustomStringConvertible {
    /// One connection, and its end is the end. Also the first attempt is the only one.
    case never
    /// Until the receiver says that it wants no more, or that it failed. One that was stopped (``Goodbye/Code/stopped``) is waited for.
    case afterBreak
    /// Until this side ends: a receiver that left may come back.
    case always

    /// The name.
    public var description: String { rawValue }
}
