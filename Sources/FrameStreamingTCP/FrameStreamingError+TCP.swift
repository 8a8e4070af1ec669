package import FrameStreamingCore
package import FrameStreamingSystem

/// The errors of this module that several of its files throw.
extension FrameStreamingError {
    /// The error for bytes that are not of the protocol, with the one remedy that there is.
    static func violation(_ what: String, limit: PeerLimit? = nil) -> FrameStreamingError {
        FrameStreamingError(
            .protocolViolation,
            "the peer does not keep to the protocol (\(what)): check that it speaks the same handshake and version",
            limit: limit)
    }

    static func textViolation(_ what: String) -> FrameStreamingError {
        FrameStreamingError(
            .protocolViolation,
            "the peer does not keep to the text handshake (\(what)): check that it speaks the tutorial's protocol")
    }

    static let closedConnection = FrameStreamingError(.closed, "the connection was closed on this side")

    /// The peer's bytes ended before its goodbye.
    static func ended(_ address: String) -> FrameStreamingError {
        FrameStreamingError(
            .endedWithoutGoodbye,
            "the peer's stream ended without a goodbye: the peer was killed, or the link cut; frames that had arrived were delivered",
            subject: address)
    }

    static let closedListener = FrameStreamingError(.closed, "the listener was closed")

    /// The remedy for a frame beyond ``TCPReceiverOptions/maximumFrameByteCount``. Only the user
    /// knows whether that limit or the frame is wrong.
    static let raiseLimit =
        "send smaller frames, or raise the receiver's limit (TCPReceiverOptions.maximumFrameByteCount)"
}

extension FrameStreamingError {
    /// The error for a failed system call on a connection.
    package init(lost error: SystemError, at address: String) {
        let words: String =
            switch error.code {
            case Errno.connectionReset, Errno.brokenPipe:
                "the peer ended the connection without a goodbye: it was killed, or closed the connection early"
            case Errno.timedOut:
                "the peer's machine did not answer in time: it is down, or the link is cut"
            case Errno.hostUnreachable, Errno.networkUnreachable:
                "there is no route to the peer any more: check the network"
            default: "the connection failed"
            }
        self.init(.connectionLost, "\(words) (\(error.reason))", subject: address, errno: error.code)
    }
}
