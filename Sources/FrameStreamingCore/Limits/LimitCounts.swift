/// How often peers have reached each limit: refused, ended or, for ``PeerLimit/byteRate`` and
/// ``PeerLimit/memory``, held back.
///
/// It allocates nothing as long as no limit was reached.
public struct LimitCounts: Hashable, Sendable {
    private var counts: [PeerLimit: Int] = [:]

    /// Nothing yet.
    public init() {}

    /// How often a limit was reached.
    public subscript(limit: PeerLimit) -> Int { counts[limit] ?? 0 }

    /// Whether no limit was reached.
    public var isEmpty: Bool { counts.isEmpty }

    /// Counts a limit that was reached.
    ///
    /// - Parameters:
    ///   - limit: Nil counts nothing.
    ///   - count: How often it was reached. The sum stops at the largest number.
    public mutating func note(_ limit: PeerLimit?, _ count: Int = 1) {
        guard let limit, count > 0 else { return }
        counts[limit] = self[limit].addingClamped(count)
    }

    /// Adds what `other` counted: another connection's, for a total.
    ///
    /// - Parameter other: The counts to add.
    public mutating func merge(_ other: LimitCounts) {
        for (limit, count) in other.counts { note(limit, count) }
    }

    /// Returns what was counted since `earlier`, which is of the same peers.
    package func since(_ earlier: LimitCounts) -> LimitCounts {
        var result = LimitCounts()
        for (limit, count) in counts { result.note(limit, count - earlier[limit]) }
        return result
    }
}
