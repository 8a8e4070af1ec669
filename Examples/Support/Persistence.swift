internal import FrameStreaming

/// When a receiving program ends.
package struct Persistence: Sendable {
    /// Whether it ends with the first stream.
    package var once: Bool
    /// Whether it connects to its sender instead of waiting for senders.
    package var connects: Bool
    /// Whether a stream that broke may continue.
    package var reconnects: Bool
    /// How long such a stream may stay away; nil = for ever.
    package var patience: Duration?

    package init(once: Bool, connects: Bool, reconnects: Bool, patience: Duration? = nil) {
        self.once = once
        self.connects = connects
        self.reconnects = reconnects
        self.patience = patience
    }

    /// Whether a connection that failed was no stream, but a port scanner's or a lost client's: it
    /// brought neither a picture nor a goodbye. A program that connects has chosen its peer.
    ///
    /// A peer that has completed the binary handshake is a sender, so a picture beyond the limit is
    /// its own. With the text handshake a few digits of anybody announce one: that ends the program
    /// only where no other connection is to follow.
    func isStray(_ peer: Peer, _ figures: ReceiverStatistics, after error: FrameStreamingError) -> Bool {
        guard !connects, figures.bytes == 0, peer.goodbye == nil else { return false }
        return error.code != .limitExceeded || peer.handshake == .text && reconnects
    }

    /// Whether a stream that ended with this error may go on over another connection. A
    /// stream without a session cannot. A program that connects, without `once`, takes
    /// the sender's next stream instead.
    func mayReturn(_ peer: Peer, after error: FrameStreamingError) -> Bool {
        guard reconnects, error.subject == nil || error.subject == peer.address else { return false }
        guard error.code == .connectionLost || error.code == .endedWithoutGoodbye else { return false }
        return peer.session != 0 || (connects && !once)
    }
}
