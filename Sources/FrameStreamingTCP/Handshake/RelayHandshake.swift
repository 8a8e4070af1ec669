internal import FrameStreamingCore

/// The handshakes of a relay's port, to which both senders and receivers connect: the peer's HELLO shows
/// which it is.
struct RelayHandshake: Sendable {
    /// For peers that send.
    let receiving: HandshakeDriver
    /// For peers that receive.
    let sending: HandshakeDriver

    /// Where the role is in HELLO.
    private static let roleOffset = WirePrefix.length + 8

    /// A connection, and what the peer does.
    enum Peer {
        case sender(TCPTransport)
        case receiver(TCPTransport)
    }

    /// - Parameters:
    ///   - relay: Is asked whether the peer's stream suits it.
    ///   - admit: As for ``HandshakeDriver/accept(_:until:stream:admit:)``.
    func accept(
        _ channel: Channel, for relay: FrameRelay,
        admit: @escaping (UInt64) throws(FrameStreamingError) -> Void
    ) throws(FrameStreamingError) -> Peer {
        var incoming = try receiving.open(channel, until: .never)
        if try isReceiver(&incoming) {
            try sending.prepare(channel)
            return .receiver(
                try sending.accept(
                    incoming,
                    stream: { (hello) throws(FrameStreamingError) in
                        try relay.checkReceiver(
                            hello.stream, waits: hello.waitsForStream, permitted: incoming.secured?.streams)
                    }, admit: admit))
        }
        return .sender(
            try receiving.accept(
                incoming,
                stream: { (hello) throws(FrameStreamingError) in
                    try relay.checkSender(hello.stream)
                    return ""
                }, admit: admit))
    }

    /// Reads as far as the peer's role. Whatever is no HELLO is left to the receiving side, which says
    /// what is wrong.
    private func isReceiver(_ incoming: inout IncomingHandshake) throws(FrameStreamingError) -> Bool {
        do throws(FrameStreamingError) {
            while incoming.input.count <= Self.roleOffset {
                if let first = incoming.input.first, first != WireType.hello.rawValue { return false }
                var more = InputBuffer()
                try receiving.fill(
                    &more, incoming.channel, incoming.writer, noting: &incoming.first, until: incoming.limit)
                let bytes = incoming.input.bytes(0..<incoming.input.count) + more.bytes(0..<more.count)
                incoming.input = InputBuffer(Array(bytes))
            }
        } catch {
            throw receiving.explain(error, &incoming.first, incoming)
        }
        return incoming.input.bytes(Self.roleOffset..<Self.roleOffset + 1).first == TCPRole.receiver.wireCode
    }
}
