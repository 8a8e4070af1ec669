/// An event of a stream other than a frame.
@nonexhaustive
public enum ReceiverEvent: Sendable {
    /// The sender's source went away; the connection remains. The text is the peer's reason: print
    /// it through `String(printable:)`.
    case sourceLost(reason: String)
    /// The sender's source is back.
    case sourceRestored
    /// A frame did not decode or was refused, and was reported to the sender. The stream goes on.
    case undecodable(FrameInfo, error: FrameStreamingError)
}
