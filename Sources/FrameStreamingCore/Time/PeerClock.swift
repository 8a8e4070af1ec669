/// The peer's clock for every frame: the connection is only asked where it may have something new to say.
struct PeerClock: Sendable {
    private let measuring: (any ClockMeasuring)?
    private let fixed: ClockFilter.Estimate?
    private let changes: Bool

    init(_ transport: any Transport) {
        measuring = transport as? any ClockMeasuring
        let peer = transport.peer
        fixed = Self.estimate(peer)
        changes = peer.hasClock && fixed?.error != 0
    }

    /// What is known of the clock of `transport`'s peer now; it is the one that this was made of.
    func estimate(_ transport: some Transport) -> ClockFilter.Estimate? {
        if let measuring { return measuring.clockEstimate }
        return changes ? Self.estimate(transport.peer) : fixed
    }

    private static func estimate(_ peer: Peer) -> ClockFilter.Estimate? {
        guard let offset = peer.clockOffset else { return nil }
        // Who implements a transport may know one and not the other; what is not told is taken as certain.
        return ClockFilter.Estimate(offset: offset, error: peer.clockError ?? 0)
    }
}
