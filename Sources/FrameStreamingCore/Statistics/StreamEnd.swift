internal import FrameStreamingSystem

/// How a connection ended, as summaries name it.
@nonexhaustive
public enum StreamEnd: String, Sendable, CustomStringConvertible {
    /// In good order, by a goodbye of either side.
    case bye
    /// In good order, by the text handshake's `over`.
    case over
    /// The bytes ended without a goodbye.
    case eof
    /// Something broke.
    case error
    /// Somebody on this side stopped or cancelled it before the stream's end. After a stop the peer was told in good order.
    case cancelled

    /// A good end of a connection that speaks so.
    static func good(_ handshake: Peer.Handshake) -> StreamEnd { handshake == .text ? .over : .bye }

    /// The end that an error is.
    static func of(_ error: FrameStreamingError) -> StreamEnd {
        switch error.code {
        case .endedWithoutGoodbye: .eof
        case .cancelled, .closed: .cancelled
        // A peer that is killed with bytes unread resets the connection: whether it had any is chance, and the end the same.
        case .connectionLost where error.errno == Errno.connectionReset || error.errno == Errno.brokenPipe: .eof
        default: .error
        }
    }

    /// The end's name.
    public var description: String { rawValue }
}
