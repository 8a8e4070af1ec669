internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Bounds how fast credentials can be guessed, by address and in all.
///
/// A wrong credential is a debt that time pays off. An address with too much debt is not asked for
/// credentials until it has less, not even for the right one: an answer would tell a guesser. The
/// same wrong credential again is no new guess, so that a page or a program with an old one, which
/// tries again and again, locks no address out.
struct AttemptLimit {
    private struct Client {
        /// When its debt is paid off.
        var paidAt: MonotonicTime
        /// Digests of its last wrong credentials.
        var wrong: [UInt64] = []
        /// Whether it had the right one before: then the debt of all others does not count.
        var isKnown = false
    }

    private var clients: [PeerHost: Client] = [:]
    /// When the debt of all addresses is paid off.
    private var allPaidAt = MonotonicTime(nanoseconds: 0)
    /// Wrong credentials so far.
    private(set) var failures = 0
    /// Requests so far whose credentials were not looked at.
    private(set) var refusals = 0

    /// How many wrong credentials an address may have at once, and how long one counts.
    private static let attempts = (count: 10, each: Duration.seconds(6))
    /// The same of all addresses.
    private static let attemptsInAll = (count: 100, each: Duration.milliseconds(600))
    private static let mostClients = 1024
    private static let mostWrong = 4

    /// Returns how long the address has to wait before its credentials are looked at; nil = not at
    /// all. A wait is counted.
    mutating func pause(of address: PeerHost, at now: MonotonicTime) -> Duration? {
        let client = clients[counted(address)]
        var pause = Self.pause(client?.paidAt, Self.attempts, now)
        if client?.isKnown != true { pause = max(pause, Self.pause(allPaidAt, Self.attemptsInAll, now)) }
        guard pause > .zero else { return nil }
        refusals += 1
        return pause
    }

    private static func pause(
        _ paidAt: MonotonicTime?, _ limit: (count: Int, each: Duration), _ now: MonotonicTime
    ) -> Duration {
        guard let paidAt else { return .zero }
        return paidAt.since(now) - limit.each * (limit.count - 1)
    }

    /// Counts a wrong credential.
    ///
    /// - Parameter digest: Tells it from others.
    mutating func noteFailure(of address: PeerHost, digest: UInt64, at now: MonotonicTime) {
        failures += 1
        let address = counted(address)
        var client = clients[address] ?? Client(paidAt: now)
        guard !client.wrong.contains(digest) else { return }
        client.wrong = client.wrong.suffix(Self.mostWrong - 1) + [digest]
        client.paidAt = max(client.paidAt, now).advanced(by: Self.attempts.each)
        allPaidAt = max(allPaidAt, now).advanced(by: Self.attemptsInAll.each)
        keep(client, at: address)
    }

    /// Notes that an address had a right credential. From then on it counts by itself, so that its
    /// neighbours do not keep it out.
    mutating func noteSuccess(of address: PeerHost, at now: MonotonicTime) {
        for address in [address, address.alone] where clients[address]?.isKnown != true {
            var client = clients[address] ?? Client(paidAt: now)
            client.isKnown = true
            keep(client, at: address)
        }
    }

    /// What an address counts as.
    private func counted(_ address: PeerHost) -> PeerHost {
        clients[address.alone]?.isKnown == true ? address.alone : address
    }

    /// Where there are too many, the one that is missed least makes room: one that never had a right
    /// credential, and whose debt ends first.
    private mutating func keep(_ client: Client, at address: PeerHost) {
        if clients[address] == nil, clients.count >= Self.mostClients {
            let least = clients.min { one, other in
                one.value.isKnown == other.value.isKnown
                    ? one.value.paidAt < other.value.paidAt : other.value.isKnown
            }
            if let least { clients[least.key] = nil }
        }
        clients[address] = client
    }

    /// The number of addresses that are remembered.
    var addressCount: Int { clients.count }
}
