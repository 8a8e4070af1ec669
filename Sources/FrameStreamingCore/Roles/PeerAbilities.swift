/// What a connection can do. Code that depends on one of these asks
/// for it, and not for the handshake.
extension Peer {
    /// Whether the connection measures the peer's clock.
    package var hasClock: Bool { handshake != .text }

    /// Whether an acknowledgement says what happened to the frame. Without that, every acknowledged
    /// frame counts as consumed.
    package var hasOutcomes: Bool { handshake != .text }

    /// Whether a frame says how many frames were dropped before it.
    package var hasSkipCounts: Bool { handshake != .text }

    /// Whether a clean end is a goodbye with a code and words. Without that it is a mark behind the
    /// last frame.
    var hasGoodbyes: Bool { handshake != .text }
}
