public import FrameStreamingCore

/// The settings of a TCP connection that only the side that receives frames has.
public struct TCPReceiverOptions: Sendable {
    /// For a receiver that connects: the session that it received last, before this program ran;
    /// 0 = none.
    public var lastSession: UInt64 = 0
    /// Returns how many frames of a session the receiver has acknowledged, with any outcome; 0 for
    /// a session that it does not know.
    ///
    /// Called for sessions that the listener or connector has not had, or has forgotten. A program
    /// needs it if it stores what it consumed, to resume streams after its own restart.
    ///
    /// A listener or connector remembers every session that has a connection, and 1,024 others, or
    /// the number of connections that ``TCPListener/serve(maximumConnections:onError:_:)`` allows
    /// if that is more. Beyond that it forgets the oldest: first of the sessions without a consumed
    /// frame, then of those that ended with a goodbye, then of those that broke. If a broken
    /// session was forgotten, its sender sends again the frames whose acknowledgements it had not
    /// received.
    public var consumed: @Sendable (_ session: UInt64) -> UInt64 = { _ in 0 }
    /// How many frames the sender may send ahead of the last one that was consumed, at least 1.
    /// With the text handshake always 1.
    ///
    /// The credit is smaller if so many frames do not fit into ``memory``. Before the first frame
    /// is consumed, each is taken to have a quarter of ``maximumFrameByteCount``: 16 fit by
    /// default. From then on the largest of the latest frames counts.
    public var creditAhead: UInt64 = 16
    /// The pixel formats that the receiver takes; empty = any. The handshake fails if the two sides
    /// have no format in common. ``TCPRole/receiver(for:_:)`` sets them.
    public var pixelFormats: [PixelFormat] = []
    /// For a receiver that connects to a relay: whether it waits where there is no stream of the name
    /// that it asks for (``TCPOptions/stream``). If not, the connection fails with `notFound`.
    public var waitsForStream = true
    /// The largest image in bytes. A peer that announces more is disconnected before anything is
    /// allocated.
    public var maximumFrameByteCount = 64 << 20
    /// How many bytes a second are read from a connection, averaged over less than a second; 0, the
    /// default, = as many as come. At least 32,000.
    ///
    /// A faster sender is not cut off: TCP holds it back, its frames are acknowledged later, and a
    /// sender of live frames drops more of them.
    public var maximumByteRate = 0
    /// Bounds the memory of frames that have arrived and are not consumed, for all connections that
    /// share it.
    public var memory = MemoryBudget.standard
    /// The pool for the images. Without one, the connection makes a pool that keeps at most
    /// ``maximumFrameByteCount`` of unused memory.
    public var pool: FramePool?

    /// Creates the default settings.
    public init() {}

    /// The range of ``maximumFrameByteCount``.
    public static let maximumFrameByteCountRange = 1...(1 << 30)
}
