/// The protocol that a connection speaks, as a setting and as what was found.
@nonexhaustive
public enum Handshake: String, Sendable, CustomStringConvertible {
    /// The protocol that the peer's first byte shows. Only a setting, and only of a receiver that
    /// listens: in all other cases the peer does not speak first. ``Peer/handshake`` is never this.
    case automatic
    /// The protocol of Docs/WireProtocol.md.
    case binary
    /// The protocol of the classic OpenCV tutorial: JPEG only, one frame at a time, no clock and no
    /// names.
    case text
    /// No bytes at all, because both ends are in one process. Never a setting.
    case memory

    /// The handshake's name.
    public var description: String { rawValue }
}
