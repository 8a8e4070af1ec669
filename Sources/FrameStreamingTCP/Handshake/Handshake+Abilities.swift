internal import FrameStreamingCore

/// What the two handshakes of TCP can do.
extension Handshake {
    /// Whether streams have sessions, and can be resumed. A receiver that finds the handshake out
    /// from the peer must be ready for both.
    var hasSessions: Bool { self != .text }

    /// Whether a peer can be told why it is turned away.
    var hasRejections: Bool { self != .text }
}
