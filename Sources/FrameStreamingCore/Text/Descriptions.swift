/// What `print` shows of a peer and of the events of a stream. Everything that a peer chose is
/// printable in it.

extension Peer: CustomStringConvertible {
    /// The address, the handshake, and the stream's name and the peer's goodbye if there are any:
    /// `127.0.0.1:5600 (binary, stream door)`.
    public var description: String {
        var parts = [handshake.description]
        if let stream { parts.append("stream \(String(printable: stream))") }
        if let goodbye { parts.append("said goodbye: \(goodbye)") }
        return "\(place) (\(parts.joined(separator: ", ")))"
    }

    fileprivate var place: String { String(printable: address) }
}

extension ReceiverEvent: CustomStringConvertible {
    /// What happened, for people.
    public var description: String {
        switch self {
        case .sourceLost(let reason):
            reason.isEmpty ? "the sender's source is gone" : "the sender's source is gone: \(String(printable: reason))"
        case .sourceRestored: "the sender's source is back"
        case .undecodable(let info, let error): "frame \(info.sequence) did not decode: \(error)"
        }
    }
}

extension SenderEvent: CustomStringConvertible {
    /// What happened, for people.
    public var description: String {
        switch self {
        case .connected(let peer): "\(peer.place) connected"
        case .disconnected(let peer, let error):
            "\(peer.place) disconnected\(Self.reason(error, peer.address, or: peer.goodbye))"
        case .ended(let peer, let error): "\(peer.place) ended\(Self.reason(error, peer.address, or: peer.goodbye))"
        case .waiting(let address, let error, let wait):
            "no connection to \(String(printable: address))\(Self.reason(error, address)); the next attempt follows after \(Self.seconds(wait))"
        case .requested(let peer, let request): "\(peer.place) asked for \(request)"
        case .refused(let peer, let request, let error):
            "\(peer.place) asked for \(request), which was refused\(Self.reason(error, peer.address))"
        case .stalled(let peer, let duration, let limit):
            "\(peer.place) has made no progress for \(Self.seconds(duration))"
                + (limit.map { "; it is given up after \(Self.seconds($0))" } ?? "")
        case .sourceDamaged(let count, let latest):
            "the source left out \(count == 1 ? "1 damaged frame" : "\(count) damaged frames"): \(latest)"
        case .sourceHeldUp(let duration):
            "the receivers take frames more slowly than the source gives them, and have held it up for \(Self.seconds(duration))"
        }
    }

    /// The error without the address, which the description names already.
    private static func reason(
        _ error: FrameStreamingError?, _ address: String, or goodbye: Goodbye? = nil
    ) -> String {
        if let error { return ": \(error.subject == address ? error.message : error.description)" }
        return goodbye.map { ": \($0)" } ?? ""
    }

    private static func seconds(_ duration: Duration) -> String {
        "\((duration.inSeconds * 100).rounded() / 100) s"
    }
}
