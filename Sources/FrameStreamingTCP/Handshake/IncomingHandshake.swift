internal import FrameStreamingCore

/// A connection that a peer has made, in front of its handshake.
struct IncomingHandshake {
    let channel: Channel
    let writer: MessageWriter
    /// Who the peer is; nil without security.
    let secured: SecuredPeer?
    /// When the handshake must be complete.
    let limit: Deadline
    /// What was read of it.
    var input = InputBuffer()
    /// The first bytes that were read, of which some may not be in `input` any more.
    var first: [UInt8] = []
}
