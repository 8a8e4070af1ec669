/// A limit on what a peer may cost this side. Docs/Limits.md has the default and the option of each.
///
/// An error that a peer caused by reaching a limit names it (``FrameStreamingError/limit``), and
/// ``LimitCounts`` counts it. The raw value is its name in `--json` and in the preview's metrics.
@nonexhaustive
public enum PeerLimit: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    /// The bytes of one compressed frame.
    case frameBytes = "frame_bytes"
    /// Width times height of one picture.
    case pixels
    /// The scans of one JPEG, and the samples that they cover together.
    case scans
    /// The bytes of a name, of metadata, and of a message without an image. The protocol sets them.
    case lengths
    /// Connections of a listener.
    case connections
    /// Connections of a listener with one address.
    case connectionsPerAddress = "connections_per_address"
    /// Handshakes in progress at a listener.
    case handshakes
    /// The time of a handshake.
    case handshakeTime = "handshake_time"
    /// The time without a frame.
    case idleTime = "idle_time"
    /// The time in which no byte of a begun message moves.
    case messageTime = "message_time"
    /// The lowest rate of a begun message.
    case minimumRate = "minimum_rate"
    /// The highest rate of a connection. A faster sender is held back.
    case byteRate = "byte_rate"
    /// The bytes of frames that are not consumed yet. A sender that has more waits.
    case memory
    /// Frames in a row that do not decode.
    case decodeFailures = "decode_failures"

    /// The limit's name: `frame_bytes` and the like.
    public var description: String { rawValue }
}
