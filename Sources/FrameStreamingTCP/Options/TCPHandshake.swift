/// The protocol that a connection speaks.
public struct TCPHandshake: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String { case automatic, binary, text }
    private let value: Value

    private init(value: Value) { self.value = value }

    /// The protocol that the peer's first byte shows. Only for a receiver that listens: in all
    /// other cases the peer does not speak first.
    public static let automatic = TCPHandshake(value: .automatic)
    /// The protocol of Docs/WireProtocol.md.
    public static let binary = TCPHandshake(value: .binary)
    /// The protocol of the classic OpenCV tutorial: JPEG only, one frame at a time, no clock and no
    /// names.
    public static let text = TCPHandshake(value: .text)

    /// Whether streams have sessions, and can be resumed. A receiver that finds the handshake out
    /// from the peer must be ready for both.
    var hasSessions: Bool { self != .text }

    /// Whether a peer can be told why it is turned away.
    var hasRejections: Bool { self != .text }

    /// The handshake's name.
    public var description: String { value.rawValue }
}
