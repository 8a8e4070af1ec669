internal import FrameStreamingSystem

/// How a connection ended, as summaries and the programs' JSON name it. The names `bye`, `over` and
/// `eof` are the protocols' words.
@nonexhaustive
public enum StreamEnd: String, Sendable, CustomStringConvertible {
    /// Cleanly, by a goodbye of either side: BYE in the binary handshake.
    case bye
    /// Cleanly, by the word `over`, which is the text handshake's goodbye.
    case over
    /// At the end of the bytes (end of file), without a goodbye: the peer was killed, or the link
    /// cut.
    case eof
    /// Something broke.
    case error
    /// This side stopped or cancelled it before the stream's end.
    /// After a stop the peer got a goodbye.
    case cancelled

    /// The name of a clean end with this peer.
    static func good(_ peer: Peer) -> StreamEnd { peer.abilities.contains(.goodbyes) ? .bye : .over }

    /// The end that an error causes.
    static func of(_ error: FrameStreamingError) -> StreamEnd {
        switch error.code {
        case .endedWithoutGoodbye: .eof
        case .cancelled, .closed: .cancelled
        // A killed peer with unread bytes resets the connection. Whether it had any is
        // chance, so the end has the same name.
        case .connectionLost where error.errno == Errno.connectionReset || error.errno == Errno.brokenPipe: .eof
        default: .error
        }
    }

    /// The end's name.
    public var description: String { rawValue }
}
