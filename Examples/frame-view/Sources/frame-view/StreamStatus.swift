internal import FrameStreaming

/// How things stand with the stream, as the window says it.
enum StreamStatus: Hashable, Sendable {
    /// Nobody sends: the reason, or where senders are waited for.
    case waiting(String)
    /// Connected to a sender of this name.
    case live(String)
    /// Connected, but the sender's source went away.
    case sourceLost(String)
    /// The connection broke, for this reason.
    case broken(String)
    /// The stream ended in good order.
    case ended(String)

    var isLive: Bool { if case .live = self { true } else { false } }

    /// What the window's title says.
    var title: String {
        switch self {
        case .waiting(let reason): "frame-view: \(reason)"
        case .live(let name): "frame-view: \(name)"
        case .sourceLost(let reason): "frame-view: source lost: \(reason)"
        case .broken(let reason): "frame-view: connection lost: \(reason)"
        case .ended(let reason): "frame-view: ended: \(reason)"
        }
    }

    /// What stands over the picture; nothing over a live one.
    var banner: String? {
        switch self {
        case .waiting(let reason): reason
        case .live: nil
        case .sourceLost(let reason): "source lost: \(reason)"
        case .broken(let reason): "connection lost: \(reason)"
        case .ended(let reason): "stream ended: \(reason)"
        }
    }

    /// The sender's stream and address. The stream's name is the other side's word.
    static func name(of peer: Peer) -> String {
        guard let stream = peer.stream, !stream.isEmpty else { return peer.address }
        return "\(String(printable: stream)) (\(peer.address))"
    }
}
