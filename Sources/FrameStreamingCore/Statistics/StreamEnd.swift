internal import FrameStreamingSystem

/// How a connection ended, as summaries name it.
public struct StreamEnd: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String { case bye, over, eof, error, cancelled }
    private let value: Value

    private init(value: Value) { self.value = value }

    /// In good order, by a goodbye of either side.
    public static let bye = StreamEnd(value: .bye)
    /// In good order, by the text handshake's `over`.
    public static let over = StreamEnd(value: .over)
    /// The bytes ended without a goodbye.
    public static let eof = StreamEnd(value: .eof)
    /// Something broke.
    public static let error = StreamEnd(value: .error)
    /// Somebody on this side stopped or cancelled it before the stream's end. After a stop the peer was told in good order.
    public static let cancelled = StreamEnd(value: .cancelled)

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
    public var description: String { value.rawValue }
}
