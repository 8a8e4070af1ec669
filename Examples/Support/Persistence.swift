internal import FrameStreaming

/// How long a receiving program goes on.
package struct Persistence: Sendable {
    /// It ends with the first stream.
    package var once: Bool
    /// It connects to its sender, rather than waiting for senders.
    package var connects: Bool
    /// A stream that broke is not over.
    package var reconnects: Bool
    /// How long such a stream may stay away; nil = for ever.
    package var patience: Duration?

    package init(once: Bool, connects: Bool, reconnects: Bool, patience: Duration? = nil) {
        self.once = once
        self.connects = connects
        self.reconnects = reconnects
        self.patience = patience
    }

    /// Whether a stream that ended so may go on over another connection. One
    /// without a session cannot; a program that connects and has not been told to
    /// end takes the sender's next one instead.
    func mayReturn(_ peer: Peer, after error: FrameStreamingError) -> Bool {
        guard reconnects, error.subject == nil || error.subject == peer.address else { return false }
        guard error.code == .connectionLost || error.code == .endedWithoutGoodbye else { return false }
        return peer.session != 0 || (connects && !once)
    }
}
