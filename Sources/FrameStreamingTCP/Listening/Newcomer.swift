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
                if let limit = registry.prove(ticket, limits) {
                    throw handshakeDriver.noRoom(limits.words(limit), limit, for: session)
                }
                try claim(session)
            }
        } catch {
            throw registry.failed(ticket, error, limits, at: channel.address)
        }
    }

    /// Gives its place back.
    func leave() { registry.leave(ticket) }
}
