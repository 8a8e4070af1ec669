public import FrameStreamingCore

/// What a TCP connection is told beside its address.
public struct TCPOptions: Sendable {
    /// The stream's name, at most 255 bytes of UTF-8; empty = none. The text handshake has no room for it.
    public var stream = ""
    /// Sender: its session, the same after a reconnect, so that no frame is consumed twice; 0 = none, and nothing is resumed
    /// (``TCPConnector`` and ``TCPAcceptor`` choose one then, and ``TCPListener`` one for each receiver). Receiver that connects: the session that it consumed of last, before this
    /// program ran; 0 = none.
    public var session: UInt64 = 0
    /// Receiver: how many frames of a session it has acknowledged, with any outcome; 0 for one that it does not know.
    ///
    /// Asked for sessions that the listener or connector has not had itself, or has forgotten. For a program that keeps what it consumed
    /// over a restart of its own.
    ///
    /// A listener or connector remembers every session that has a connection, and of the others 1,024, or as many as
    /// ``TCPListener/serve(maximumConnections:onError:_:)`` allows connections where that is more. Beyond that it forgets first those of
    /// which nothing was consumed, then those that ended with a goodbye, then those that broke, in each case the oldest. Of a
    /// stream that broke and was forgotten, frames that were consumed come again where the sender had not heard so.
    public var consumed: @Sendable (_ session: UInt64) -> UInt64 = { _ in 0 }
    /// Receiver: how many frames the sender may send ahead of the last that was consumed, at least 1. Text: always 1.
    ///
    /// Fewer where so many would not fit into ``memory``: before the first frame was consumed as many as fit if each were a
    /// quarter of ``maximumFrameBytes`` (16, unless told otherwise), and from then on as many as fit of the largest ones lately.
    public var creditAhead: UInt64 = 16
    /// Receiver: the pixel formats that it takes; empty = any. Sender: those that it sends; empty = not known. Where neither has one of
    /// the other's there is no connection.
    public var pixelFormats: [PixelFormat] = []
    /// Receiver: the largest image in bytes; a peer that announces more is turned away before anything is allocated.
    public var maximumFrameBytes = 64 << 20
    /// How long a peer may take to complete the handshake; with ``TCPHandshake/automatic``, to send its first byte. With
    /// ``TCPHandshake/text`` there is none: a peer may be silent until its first frame.
    public var handshakeTimeout = Duration.seconds(5)
    /// How long a message that has begun may stand still, either way: not a byte of it comes, or is taken. The connection is lost then. It
    /// may take as long as it likes while it moves, see ``minimumRate``.
    public var standstillTimeout = Duration.seconds(30)
    /// How many bytes of a message that has begun must move in each second, on the average over a minute, either way; 0 = however few.
    ///
    /// It tells a slow link from a peer that trickles to hold a place: such a one is cut off within two minutes, and mostly after one.
    public var minimumRate = 1_000
    /// How long the kernel waits for the peer's kernel to confirm data before the connection is lost (TCP_USER_TIMEOUT).
    /// It counts while a receiver reads nothing, too: well below 10 s it kills slow receivers.
    public var userTimeout = Duration.seconds(15)
    /// How long a peer that has been quiet for 3 s may take to answer a PING before the connection is lost, and so much longer as frames under way
    /// take at 32 kB/s, but 30 s at most. What is still being confirmed counts as an answer. A peer that answers is there, however slow; one that does not hangs or is gone, though a proxy may go on
    /// confirming what it is sent. Not with the text handshake, which has no PING.
    public var answerTimeout = Duration.seconds(10)
    /// How many bytes the kernel holds that are not on their way yet (TCP_NOTSENT_LOWAT); nil = the system's own.
    public var unsentLowWater: Int? = 128 << 10
    /// Receiver: bounds the memory of frames that have come and are not consumed, of this and all other connections that share it.
    public var memory = MemoryBudget.standard
    /// Receiver: where the images go; a pool of the connection's own, unless given. That one keeps no more memory for later than
    /// ``maximumFrameBytes``.
    public var pool: FramePool?

    /// Takes a peer's boot id as proof that it reads our clock, and asks nothing. For tests that compare every byte.
    var believesBootID = false

    /// Everything as it usually is.
    public init() {}

    /// Over how long ``minimumRate`` is measured.
    static let rateWindow = Duration.seconds(60)
    /// The same for these options: shorter in tests.
    var rateWindow = Self.rateWindow

    /// What ``maximumFrameBytes`` can be.
    public static let frameBytes = 1...(1 << 30)

    /// The options checked.
    ///
    /// - Throws: `invalidArgument`.
    func validated() throws(FrameStreamingError) -> TCPOptions {
        guard stream.utf8.count <= Hello.longestName else {
            throw FrameStreamingError(
                .invalidArgument, "a stream's name has at most \(Hello.longestName) bytes, not \(stream.utf8.count)")
        }
        guard creditAhead >= 1 else {
            throw FrameStreamingError(.invalidArgument, "with a credit of 0 no frame is ever sent: give at least 1")
        }
        guard Self.frameBytes.contains(maximumFrameBytes) else {
            throw FrameStreamingError(
                .invalidArgument, "maximumFrameBytes is 1 to \(Self.frameBytes.upperBound), not \(maximumFrameBytes)")
        }
        guard pixelFormats.count <= Hello.mostFormats else {
            throw FrameStreamingError(
                .invalidArgument, "at most \(Hello.mostFormats) pixel formats can be named: name none to take any")
        }
        guard handshakeTimeout > .zero, standstillTimeout > .zero, userTimeout > .zero, answerTimeout > .zero else {
            throw FrameStreamingError(.invalidArgument, "a timeout that is not above 0 lets nothing through")
        }
        guard minimumRate >= 0 else {
            throw FrameStreamingError(
                .invalidArgument, "a minimum rate of \(minimumRate) bytes a second cannot be: 0 takes any rate")
        }
        return self
    }
}

extension FrameStreamingError {
    /// For a limit that only the receiving program's author or user can tell whether it is right.
    static let raiseLimit =
        "make the pictures smaller, or raise the receiver's limit (TCPOptions.maximumFrameBytes, frame-receive --maximum-frame-bytes)"
}
