internal import FrameStreamingCore

/// The settings of a TCP connection that both sides have. ``TCPSenderOptions`` and
/// ``TCPReceiverOptions`` have those of one side, and go into its ``TCPRole``.
public struct TCPOptions: Sendable {
    /// The stream's name, at most 255 bytes of UTF-8; empty = none. The sender's name counts; a
    /// receiver's is the one that it asks a relay for, and else for a sender that gives none. The text
    /// handshake carries no name.
    public var stream = ""
    /// Encrypts each connection and has the peers prove who they are; nil = everybody on the way can
    /// read and change the frames, and everybody who reaches the port can connect.
    ///
    /// Its handshake comes first, within ``handshakeTimeout``, also with `Handshake.text`.
    public var security: TCPSecurity?
    /// How long a peer may take to complete the handshake; with `Handshake.automatic`, to send
    /// its first byte. With `Handshake.text` there is no limit: a peer may be silent until its
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
    /// that are still being confirmed count as an answer. A slow peer answers as well. A peer that
    /// does not answer hangs or is gone, even if a proxy still confirms the bytes for it. The text
    /// handshake has no PING.
    public var answerTimeout = Duration.seconds(10)
    /// For a listener: how many peers may be in a handshake at once, at least 1. They take no place
    /// of the connections until they have introduced themselves. One more ends the oldest handshake
    /// of the address that has the most.
    public var maximumHandshakes = 64
    /// For a listener: how many connections one address may have at once; nil = as many as all
    /// together. An IPv6 peer counts by its network of 64 bits.
    ///
    /// Peers behind one router may share an address. `TCPListener.serve` counts them; a program that
    /// takes connections one by one counts them by itself.
    public var maximumConnectionsPerAddress: Int?

    /// Takes a peer's boot id as proof that it reads our clock, and sends no PING for it. For tests
    /// that compare every byte.
    var believesBootID = false

    /// Creates the default settings.
    public init() {}

    /// The time over which ``minimumRate`` is averaged.
    static let rateWindow = Duration.seconds(60)
    /// The same for these options. Shorter in tests.
    var rateWindow = Self.rateWindow

    /// Returns the options if they are valid.
    ///
    /// - Throws: `invalidArgument`.
    func validated() throws(FrameStreamingError) -> TCPOptions {
        guard stream.utf8.count <= Hello.longestName else {
            throw FrameStreamingError(
                .invalidArgument,
                "a stream's name must have at most \(Hello.longestName) bytes, not \(stream.utf8.count)")
        }
        guard handshakeTimeout > .zero, standstillTimeout > .zero, userTimeout > .zero, answerTimeout > .zero else {
            throw FrameStreamingError(.invalidArgument, "a timeout must be above 0")
        }
        guard maximumHandshakes >= 1 else {
            throw FrameStreamingError(
                .invalidArgument, "maximumHandshakes must be at least 1, not \(maximumHandshakes)")
        }
        if let maximumConnectionsPerAddress, maximumConnectionsPerAddress < 1 {
            throw FrameStreamingError(
                .invalidArgument,
                "maximumConnectionsPerAddress must be at least 1, not \(maximumConnectionsPerAddress): nil allows any number"
            )
        }
        guard minimumRate >= 0 else {
            throw FrameStreamingError(
                .invalidArgument, "minimumRate must be at least 0, not \(minimumRate): 0 permits any rate")
        }
        return self
    }

    /// - Parameter connections: Connections of a listener with these options.
    func places(_ connections: Int) -> PlaceLimits {
        PlaceLimits(
            connections: connections, perAddress: maximumConnectionsPerAddress ?? .max, handshakes: maximumHandshakes)
    }
}
