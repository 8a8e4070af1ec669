/// The other end of a connection.
public struct Peer: Hashable, Sendable {
    /// Its address, such as `127.0.0.1:5600`, for people.
    public var address: String
    /// The handshake of a connection.
    public var handshake: Handshake
    /// The stream's name; nil if none was given or the handshake has none. The peer may have put
    /// anything into it: print it through `String(printable:)`.
    public var stream: String?
    /// Who the peer has proved to be: the identity of its key, or the name in its certificate; nil
    /// for a connection that is not encrypted. Print it through `String(printable:)`.
    public var identity: String?
    /// The highest frame number that the receiver accepts before its first acknowledgement.
    public var initialCredit: UInt64
    /// On the receiving side: how far the credit is ahead of the last consumed
    /// frame, or less if frames are large.
    public var creditAhead: UInt64
    /// The sender's session: the same after a reconnect; 0 = none.
    public var session: UInt64
    /// How many frames of the session were consumed before this connection: its frame n is
    /// the session's `resumedFrom` + n.
    public var resumedFrom: UInt64
    /// Sender's side: the pixel formats that the receiver takes; empty = any, or
    /// not known. A ``FrameSender`` whose frames have another ends with
    /// `unsupported`, and says so in its goodbye.
    public var pixelFormats: [PixelFormat]
    /// What the connection can do. A transport of your own sets what differs from the default: none
    /// with the text handshake, ``Abilities/standard`` with the others.
    public var abilities: Abilities
    /// What to add to the peer's CLOCK_MONOTONIC to have ours: 0 where both read the
    /// same one, nil where it is not known.
    ///
    /// It is measured from the start of the connection on, so it is nil at first. A peer with our
    /// boot id is taken to read our clock as soon as an answer, or its first frame, agrees. Between
    /// machines it is measured repeatedly, and changes.
    public var clockOffset: Duration? {
        get { clockOffsetNanoseconds.map { .nanoseconds($0) } }
        set { clockOffsetNanoseconds = newValue?.wholeNanoseconds }
    }
    /// By how much ``clockOffset`` may be wrong, either way: 0 where both read the same clock, nil
    /// where it is not known.
    public var clockError: Duration? {
        get { clockErrorNanoseconds.map { .nanoseconds($0) } }
        set { clockErrorNanoseconds = newValue?.wholeNanoseconds }
    }
    package var clockOffsetNanoseconds: Int64?
    package var clockErrorNanoseconds: Int64?
    /// The peer's goodbye; nil before it. The peer chose the text: print the `description`, which
    /// is printable, or the text through `String(printable:)`.
    public var goodbye: Goodbye?

    /// Makes a peer with these properties, and all else unknown.
    public init(address: String, handshake: Handshake, initialCredit: UInt64, creditAhead: UInt64) {
        self.address = address
        self.handshake = handshake
        self.initialCredit = initialCredit
        self.creditAhead = creditAhead
        stream = nil
        identity = nil
        session = 0
        resumedFrom = 0
        abilities = handshake == .text ? [] : .standard
        pixelFormats = []
        clockOffsetNanoseconds = nil
        clockErrorNanoseconds = nil
        goodbye = nil
    }
}
