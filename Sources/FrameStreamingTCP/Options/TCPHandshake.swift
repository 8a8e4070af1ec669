/// The protocol that a connection speaks.
public enum TCPHandshake: String, Sendable, CustomStringConvertible {
    /// The protocol that the peer's first byte shows. Only for a receiver that listens: in all
    /// other cases the peer does not speak first.
    case automatic
    /// The protocol of Docs/WireProtocol.md.
    case binary
    /// The protocol of the classic OpenCV tutorial: JPEG only, one frame at a time, no clock and no
    /// names.
    case text

    /// Whether streams have sessions, and can be resumed. A receiver that finds the handshake out
    /// from the peer must be ready for both.
    var hasSessions: Bool { self != .text }

    /// Whether a peer can be told why it is turned away.
    var hasRejections: Bool { self != .text }

    /// The handshake's name.
    public var description: String { rawValue }
}
