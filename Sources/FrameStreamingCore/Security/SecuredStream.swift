/// Encrypted bytes over a connected socket.
///
/// Several threads use it at once: one reads, others write. No call waits: a wait would keep the
/// other threads out, because one session serves both directions.
package protocol SecuredStream: Sendable {
    /// Takes the next step of the handshake.
    ///
    /// - Throws: `notAuthenticated` if one side has no credential that the other accepts;
    ///   `protocolViolation` for a peer that does not speak this protocol; `connectionFailed` if
    ///   the peer ended the connection.
    func continueHandshake() throws(FrameStreamingError) -> SecuredHandshakeStep

    /// What is known of the peer after the handshake.
    var peer: SecuredPeer { get }

    /// Stores decrypted bytes from `offset` of the room, as many as have arrived; nil = none, 0 =
    /// the peer's bytes have ended. A read may have something to write, such as an answer to a
    /// change of keys: the next ``flush()`` takes it along.
    func receive(into bytes: inout MutableRawSpan, at offset: Int) throws(FrameStreamingError) -> Int?

    /// Whether the last read may have left bytes that were taken from the socket already.
    var mayHaveMore: Bool { get }

    /// Encrypts bytes, as many as there is room for, and returns how many; nil = there is no room.
    /// What was taken counts as sent: a caller must not give it again.
    func send(_ bytes: RawSpan) throws(FrameStreamingError) -> Int?

    /// Passes encrypted bytes to the kernel; false = some are left, because the socket is full.
    func flush() throws(FrameStreamingError) -> Bool

    /// Tells the peer that this side writes no more, if the socket takes that now.
    func endWriting()
}

/// What a handshake needs next.
package enum SecuredHandshakeStep: Hashable, Sendable {
    case complete
    /// More bytes of the peer must arrive.
    case wantsInput
    /// The socket must have room.
    case wantsOutput
}

/// A peer that has proved who it is.
package struct SecuredPeer: Hashable, Sendable {
    /// The identity of its key, or the name in its certificate; nil if it did not have to prove it.
    package var identity: String?
    /// The side that it may be; nil = either.
    package var isSender: Bool?
    /// The streams that it may send or receive; nil = all.
    package var streams: [String]?

    package init(identity: String?, isSender: Bool? = nil, streams: [String]? = nil) {
        self.identity = identity
        self.isSender = isSender
        self.streams = streams
    }
}
