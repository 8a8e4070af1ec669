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
        /// And whether it waits for a stream that does not exist yet.
        case receiver(TCPTransport, waits: Bool)
    }

    /// - Parameters:
    ///   - relay: Is asked whether the peer's stream suits it.
    ///   - admit: As for ``HandshakeDriver/accept(_:until:stream:admit:)``.
    func accept(
        _ channel: Channel, for relay: FrameRelay,
        admit: @escaping (UInt64) throws(FrameStreamingError) -> Void
    ) throws(FrameStreamingError) -> Peer {
        var incoming = try receiving.open(channel, until: .never)
        let secured = incoming.secured
        if try isReceiver(&incoming) {
            try sending.prepare(channel)
            var waits = true
            let transport = try sending.accept(
                incoming,
                stream: { (hello) throws(FrameStreamingError) in
                    waits = hello.waitsForStream
                    // Whoever may not have a stream is told that, and nothing else of the streams.
                    try Self.check(
                        hello.stream.isEmpty
                            ? secured?.objection(peerIsSender: false)
                            : secured?.objection(peerIsSender: false, stream: hello.stream))
                    return try relay.checkReceiver(hello.stream, waits: waits, permitted: secured?.streams)
                }, admit: admit)
            return .receiver(transport, waits: waits)
        }
        return .sender(
            try receiving.accept(
                incoming,
                stream: { (hello) throws(FrameStreamingError) in
                    try Self.check(secured?.objection(peerIsSender: true, stream: hello.stream))
                    do throws(FrameStreamingError) {
                        try relay.checkSender(hello.stream)
                    } catch {
                        // The other sender may be this one, over a connection that is gone for it.
                        if error.code == .alreadyExists, receiving.sessions?.sever(hello.session) == true {
                            throw receiving.noRoom(error.message, nil, for: hello.session)
                        }
                        throw error
                    }
                    return ""
                }, admit: admit))
    }

    private static func check(_ objection: String?) throws(FrameStreamingError) {
        if let objection { throw FrameStreamingError(.notPermitted, objection) }
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
