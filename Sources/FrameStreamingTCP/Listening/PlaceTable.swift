internal import FrameStreamingCore
internal import FrameStreamingSystem

/// How many peers a listener has at once.
struct PlaceLimits: Hashable, Sendable {
    /// Connections whose peer has introduced itself.
    var connections = Int.max
    /// The same of one address.
    var perAddress = Int.max
    /// Connections whose peer has not, from their first byte on. They take no place of the others.
    var handshakes = Int.max

    /// Why a peer was refused, with what to do, for the peer and for this side.
    func words(_ limit: PeerLimit) -> String {
        switch limit {
        case .connectionsPerAddress:
            "\(perAddress) connections of one address are the limit here: try again when one of yours has ended"
        default: "\(connections) connections are the limit here: try again when one has ended"
        }
    }
}

/// Decides which peers a listener has at once: `(peer, event) -> verdict`, without sockets.
///
/// A peer that has not introduced itself may be anybody who reaches the port, and may say nothing
/// for as long as a handshake may take. So it takes no place of those that have. Where there are too
/// many of them, one makes room for the newest: of the address that has the most, the one that has
/// waited longest. A peer that is slow loses to strangers only if they have as many addresses.
struct PlaceTable {
    /// What becomes of a peer that connects.
    enum Entry: Hashable {
        /// It may begin its handshake. The connection with the other ticket ends for it.
        case enters(inPlaceOf: UInt64?)
        case refused(PeerLimit)
    }

    /// Those that have introduced themselves, by their tickets.
    private var proved: [UInt64: PeerHost] = [:]
    private var provedOf: [PeerHost: Int] = [:]
    /// The others, the oldest first.
    private var unproved: [(ticket: UInt64, host: PeerHost)] = []

    var isEmpty: Bool { proved.isEmpty && unproved.isEmpty }
    /// Connections whose peer has introduced itself.
    var connections: Int { proved.count }
    /// Connections whose peer has not.
    var handshakes: Int { unproved.count }

    /// A peer connects. One that could have no place begins no handshake.
    mutating func enter(_ ticket: UInt64, from host: PeerHost, _ limits: PlaceLimits) -> Entry {
        if let limit = obstacle(for: host, limits) { return .refused(limit) }
        unproved.append((ticket, host))
        guard unproved.count > limits.handshakes, let index = PeerHost.firstOfMost(unproved.map(\.host)) else {
            return .enters(inPlaceOf: nil)
        }
        return .enters(inPlaceOf: unproved.remove(at: index).ticket)
    }

    /// A peer has introduced itself.
    ///
    /// - Returns: Why it has no place; nil = it has one from here on, or had it before.
    mutating func prove(_ ticket: UInt64, _ limits: PlaceLimits) -> PeerLimit? {
        guard let index = unproved.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        let host = unproved[index].host
        if let limit = obstacle(for: host, limits) { return limit }
        unproved.remove(at: index)
        proved[ticket] = host
        provedOf[host, default: 0] += 1
        return nil
    }

    /// A connection has ended.
    mutating func leave(_ ticket: UInt64) {
        guard let host = proved.removeValue(forKey: ticket) else {
            unproved.removeAll { $0.ticket == ticket }
            return
        }
        let left = (provedOf[host] ?? 1) - 1
        provedOf[host] = left > 0 ? left : nil
    }

    private func obstacle(for host: PeerHost, _ limits: PlaceLimits) -> PeerLimit? {
        if proved.count >= limits.connections { return .connections }
        return provedOf[host] ?? 0 >= limits.perAddress ? .connectionsPerAddress : nil
    }
}
