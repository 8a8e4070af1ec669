internal import FrameStreaming

/// The status of the stream, as the window shows it.
enum StreamStatus: Hashable, Sendable {
    /// No sender is connected: the reason, or the address where the window listens.
    case waiting(String)
    /// Connected to a sender of this name.
    case live(String)
    /// Connected, but the sender's source went away.
    case sourceLost(String)
    /// The connection broke, for this reason.
    case broken(String)
    /// The stream ended with a goodbye.
    case ended(String)

    var isLive: Bool { if case .live = self { true } else { false } }

    /// The window's title.
    var title: String {
        switch self {
        case .waiting(let reason): "frame-view: \(reason)"
        case .live(let name): "frame-view: \(name)"
        case .sourceLost(let reason): "frame-view: source lost: \(reason)"
        case .broken(let reason): "frame-view: connection lost: \(reason)"
        case .ended(let reason): "frame-view: ended: \(reason)"
        }
    }

    /// The text over the picture; nil over a live one.
    var banner: String? {
        switch self {
        case .waiting(let reason): reason
        case .live: nil
        case .sourceLost(let reason): "source lost: \(reason)"
        case .broken(let reason): "connection lost: \(reason)"
        case .ended(let reason): "stream ended: \(reason)"
        }
    }

    /// The sender's stream and address. The peer chose the stream's name.
    static func name(of peer: Peer) -> String {
        guard let stream = peer.stream, !stream.isEmpty else { return peer.address }
        return "\(String(printable: stream)) (\(peer.address))"
    }
}
