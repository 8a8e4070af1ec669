internal import FrameStreamingCore

/// A peer that has connected to a listener, before its handshake.
struct Newcomer: Sendable {
    let channel: Channel
    /// Its ticket in the registry.
    let ticket: UInt64
    let limits: PlaceLimits
    let registry: ConnectionRegistry
    let handshakeDriver: HandshakeDriver

    /// Completes the handshake. The peer has its place from the moment that it has introduced itself.
    ///
    /// - Parameter claim: Called with a sender's session, or 0, for a peer that has a place. What it
    ///   throws turns the peer away.
    func establish(
        _ claim: @escaping (UInt64) throws(FrameStreamingError) -> Void = { _ throws(FrameStreamingError) in }
    ) throws(FrameStreamingError) -> TCPTransport {
        do throws(FrameStreamingError) {
            return try handshakeDriver.accept(channel, until: .never) { session throws(FrameStreamingError) in
                try prove(session)
                try claim(session)
            }
        } catch {
            throw registry.failed(ticket, error, limits, at: channel.address)
        }
    }

    /// The same at a relay's port.
    func establish(
        _ handshake: RelayHandshake, for relay: FrameRelay
    ) throws(FrameStreamingError) -> RelayHandshake.Peer {
        do throws(FrameStreamingError) {
            return try handshake.accept(channel, for: relay, admit: prove)
        } catch {
            throw registry.failed(ticket, error, limits, at: channel.address)
        }
    }

    /// Gives the peer its place, if there is one.
    private func prove(_ session: UInt64) throws(FrameStreamingError) {
        if let limit = registry.prove(ticket, limits) {
            throw handshakeDriver.noRoom(limits.words(limit), limit, for: session)
        }
    }

    /// Gives its place back.
    func leave() { registry.leave(ticket) }
}
