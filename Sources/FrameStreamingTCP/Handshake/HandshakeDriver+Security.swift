internal import FrameStreamingCore

// The part of a connection in front of its handshake: encryption, and who the peer is. Nothing of
// this side's is sent before, and nothing of the peer's is shown.

extension HandshakeDriver {
    /// Encrypts the channel, if the options say so.
    ///
    /// - Parameter host: The host that this side connected to; nil = the peer connected to this
    ///   side.
    /// - Returns: Who the peer is; nil without security.
    func secure(
        _ channel: Channel, host: String?, until limit: Deadline
    ) throws(FrameStreamingError) -> SecuredPeer? {
        guard let security = options.security else { return nil }
        do throws(FrameStreamingError) {
            return try channel.secure(by: security.connections, host: host, until: limit) {
                foreignError($0, host: host, at: channel.address)
            }
        } catch {
            channel.dismiss(until: limit.earlier(.after(Self.curiosity)))
            guard error.code == .timedOut else { throw error.about(error.subject ?? channel.address) }
            throw FrameStreamingError(
                .timedOut,
                host == nil
                    ? "the peer connected, and did not complete a TLS handshake in time: check that it has a key for this side"
                    : "no answer to the TLS handshake: check that the peer has a key or certificates, too",
                subject: channel.address, limit: .handshakeTime)
        }
    }

    /// The error for a peer that speaks another protocol than TLS, by its first bytes; nil if they do
    /// not tell.
    private func foreignError(_ bytes: [UInt8], host: String?, at address: String?) -> FrameStreamingError? {
        guard case .found(let foreign) = ForeignProtocol.find(in: bytes, isAll: true), foreign != .tls else {
            return nil
        }
        return foreign.error(isSender: role.isSender, listens: host == nil, at: address)
    }

    /// Refuses a peer of the text handshake whose key does not permit what it is about to do. The
    /// binary handshake answers with REJECT.
    func checkText(_ peer: SecuredPeer?, at address: String) throws(FrameStreamingError) {
        guard let objection = peer?.objection(peerIsSender: !role.isSender, stream: nil) else { return }
        throw FrameStreamingError(.rejected, "turned away: \(objection)", subject: address)
    }
}

extension SecuredPeer {
    /// Why the peer may not have this role; nil = it may.
    func objection(peerIsSender: Bool) -> String? {
        guard let isSender, isSender != peerIsSender else { return nil }
        return
            "the key of \(String(printable: identity ?? "")) is for a \(isSender ? "sender" : "receiver") only: use another key, or change the role in its file"
    }

    /// Why the peer may not do this; nil = it may.
    ///
    /// - Parameters:
    ///   - peerIsSender: The peer's side.
    ///   - stream: The stream's name; nil = the handshake has none.
    func objection(peerIsSender: Bool, stream: String?) -> String? {
        let identity = String(printable: identity ?? "")
        if let words = objection(peerIsSender: peerIsSender) { return words }
        guard let streams, !streams.contains(stream ?? "") else { return nil }
        let names = streams.map { String(printable: $0) }.joined(separator: ", ")
        guard let stream, !stream.isEmpty else {
            return
                "the key of \(identity) is for the streams \(names) only, and this one has no name: name the stream, or change the streams in the key's file"
        }
        return
            "the key of \(identity) is for the streams \(names) only, not \(String(printable: stream)): use another name or key, or change the streams in its file"
    }
}
