public import FrameStreamingCore

/// The settings of a TCP connection that only the side that sends frames has.
public struct TCPSenderOptions: Sendable {
    /// The sender's session, which is the same after a reconnect, so that no frame is consumed
    /// twice; 0 = none yet.
    ///
    /// For a sender without a session ``TCPConnector`` and ``TCPAcceptor`` choose one, and
    /// ``TCPListener`` chooses one for each receiver. Other connections resume nothing then.
    public var session: UInt64 = 0
    /// The pixel formats that the sender sends; empty = not known. The handshake fails if the two
    /// sides have no format in common.
    public var pixelFormats: [PixelFormat] = []
    /// How many unsent bytes the kernel holds (TCP_NOTSENT_LOWAT); nil = the system's default.
    public var unsentLowWater: Int? = 128 << 10

    /// Creates the default settings.
    public init() {}
}
