public import FrameStreamingCore

/// The settings of a TCP connection.
public struct TCPOptions: Sendable {
    /// The stream's name, at most 255 bytes of UTF-8; empty = none. The text handshake does not
    /// carry it.
    public var stream = ""
    /// Sender: its session, which is the same after a reconnect, so that no frame is consumed
    /// twice. Receiver that connects: the session that it received last, before this program ran.
    /// 0 means none.
    ///
    /// For a sender without a session ``TCPConnector`` and ``TCPAcceptor`` choose one, and
    /// ``TCPListener`` chooses one for each receiver. Other connections resume nothing then.
    public var session: UInt64 = 0
    /// Receiver: returns how many frames of a session it has acknowledged, with any outcome; 0 for
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
    /// Receiver: how many frames the sender may send ahead of the last one that was consumed, at
    /// least 1. With the text handshake always 1.
    ///
    /// The credit is smaller if so many frames do not fit into ``memory``. Before the first frame
    /// is consumed, each is taken to have a quarter of ``maximumFrameBytes``: 16 fit by default.
    /// From then on the largest of the latest frames counts.
    public var creditAhead: UInt64 = 16
    /// Receiver: the pixel formats that it takes; empty = any. Sender: the formats that it sends;
    /// empty = not known. The handshake fails if the two have no format in common.
    public var pixelFormats: [PixelFormat] = []
    /// Receiver: the largest image in bytes. A peer that announces more is disconnected before
    /// anything is allocated.
    public var maximumFrameBytes = 64 << 20
    /// How long a peer may take to complete the handshake; with ``Handshake/automatic``, to send
    /// its first byte. With ``Handshake/text`` there is no limit: a peer may be silent until its
    /// first frame.
    public var handshakeTimeout = Duration.seconds(5)
    /// How long no byte of a begun message may move, in either direction, before the connection is
    /// lost. A message that moves has no limit but ``minimumRate``.
    public var standstillTimeout = Duration.seconds(30)
    /// How many bytes of a begun message must move per second, averaged over a minute, in either
    /// direction; 0 = no minimum.
    ///
    /// It tells a slow link from a peer that sends single bytes to keep its connection. Such a peer
    /// is disconnected within two minutes, and mostly after one.
    public var minimumRate = 1_000
    /// How long the kernel waits for the peer's kernel to confirm data before the connection is
    /// lost (TCP_USER_TIMEOUT). Time in which a receiver reads nothing counts as well: well below
    /// 10 s this ends connections to slow receivers.
    public var userTimeout = Duration.seconds(15)
    /// How long a peer that has sent nothing for 3 s may take to answer a PING before the
    /// connection is lost.
    ///
    /// It may take longer by the time that frames under way need at 32 kB/s, 30 s at most. Bytes
    /// that are still being confirmed count as an answer. A slow peer answers as well; one that
    /// does not hangs or is gone, though a proxy may go on confirming what it is sent. The text
    /// handshake has no PING.
    public var answerTimeout = Duration.seconds(10)
    /// How many unsent bytes the kernel holds (TCP_NOTSENT_LOWAT); nil = the system's default.
    public var unsentLowWater: Int? = 128 << 10
    /// Receiver: bounds the memory of frames that have arrived and are not consumed, for all
    /// connections that share it.
    public var memory = MemoryBudget.standard
    /// Receiver: the pool for the images. Without one, the connection makes a pool that keeps at
    /// most ``maximumFrameBytes`` of unused memory.
    public var pool: FramePool?

    /// Takes a peer's boot id as proof that it reads our clock, and sends no PING for it. For tests
    /// that compare every byte.
    var believesBootID = false

    /// Creates the default settings.
    public init() {}

    /// The time over which ``minimumRate`` is averaged.
    static let rateWindow = Duration.seconds(60)
    /// The same for these options. Shorter in tests.
    var rateWindow = Self.rateWindow

    /// The range of ``maximumFrameBytes``.
    public static let frameBytes = 1...(1 << 30)

    /// Returns the options if they are valid.
    ///
    /// - Throws: `invalidArgument`.
    func validated() throws(FrameStreamingError) -> TCPOptions {
        guard stream.utf8.count <= Hello.longestName else {
            throw FrameStreamingError(
                .invalidArgument,
                "a stream's name must have at most \(Hello.longestName) bytes, not \(stream.utf8.count)")
        }
        guard creditAhead >= 1 else {
            throw FrameStreamingError(
                .invalidArgument, "creditAhead must be at least 1: with a credit of 0 no frame is ever sent")
        }
        guard Self.frameBytes.contains(maximumFrameBytes) else {
            throw FrameStreamingError(
                .invalidArgument,
                "maximumFrameBytes must be 1 to \(Self.frameBytes.upperBound), not \(maximumFrameBytes)")
        }
        guard pixelFormats.count <= Hello.mostFormats else {
            throw FrameStreamingError(
                .invalidArgument,
                "pixelFormats must have at most \(Hello.mostFormats) formats: leave it empty to take any")
        }
        guard handshakeTimeout > .zero, standstillTimeout > .zero, userTimeout > .zero, answerTimeout > .zero else {
            throw FrameStreamingError(.invalidArgument, "a timeout must be above 0")
        }
        guard minimumRate >= 0 else {
            throw FrameStreamingError(
                .invalidArgument, "minimumRate must be at least 0, not \(minimumRate): 0 permits any rate")
        }
        return self
    }
}

extension FrameStreamingError {
    /// The remedy for a frame beyond ``TCPOptions/maximumFrameBytes``. Only the user knows whether
    /// that limit or the frame is wrong.
    static let raiseLimit =
        "send smaller frames, or raise the receiver's limit (TCPOptions.maximumFrameBytes)"
}
