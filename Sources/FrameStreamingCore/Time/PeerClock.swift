/// The peer's clock for every frame. The connection is asked only if its answer may have changed.
struct PeerClock: Sendable {
    private let measuring: (any ClockMeasuring)?
    private let fixed: ClockFilter.Estimate?
    private let changes: Bool

    init(_ transport: any Transport) {
        measuring = transport as? any ClockMeasuring
        let peer = transport.peer
        fixed = Self.estimate(peer)
        changes = peer.abilities.contains(.clock) && fixed?.error != 0
    }

    /// The present estimate of the peer's clock. `transport` must always be the same one.
    func estimate(_ transport: some Transport) -> ClockFilter.Estimate? {
        if let measuring { return measuring.clockEstimate }
        return changes ? Self.estimate(transport.peer) : fixed
    }

    /// The round trip to `transport`'s peer now, in nanoseconds.
    func roundTrip(_ transport: some Transport) -> Int64? {
        if let measuring { return measuring.roundTripNanoseconds }
        return transport.roundTrip?.wholeNanoseconds
    }

    private static func estimate(_ peer: Peer) -> ClockFilter.Estimate? {
        guard let offset = peer.clockOffsetNanoseconds else { return nil }
        // A user's transport may report the offset without its error, which then counts as 0.
        return ClockFilter.Estimate(offset: offset, error: peer.clockErrorNanoseconds ?? 0)
    }
}
