/// Decides which lines of a log are written, if a peer can cause any number of them.
///
/// Each kind of line has two token buckets: one for each source of lines, such as a connection,
/// and one for all sources together. Lines beyond them are counted, and
/// ``takeSuppressed(at:isLast:)`` says how many they were:
///
/// ```swift
/// enum Kind { case refused, sourceLost }
/// var limiter = LogLimiter<Kind> { _ in
///     (LogRate(burst: 10, interval: .seconds(1)), LogRate(burst: 50, interval: .milliseconds(200)))
/// }
/// if limiter.admit(.sourceLost, from: peer.address, at: .now) {
///     print("source lost:", String(printable: reason))
/// }
/// for suppressed in limiter.takeSuppressed(at: .now) {
///     print("\(suppressed.kind): ... and \(suppressed.count) more")
/// }
/// ```
///
/// It is a value: it has no clock and no thread, and callers on several threads share it under a
/// lock. Its memory is bounded by the number of kinds and by ``maximumSourceCount``.
public struct LogLimiter<Kind: Hashable & Sendable>: Sendable {
    /// Lines of a kind that were not admitted.
    public struct Suppressed: Sendable {
        /// Their kind.
        public let kind: Kind
        /// How many they were, at least 1.
        public let count: Int
        /// The time since the first of these lines.
        public let duration: Duration
    }

    private struct Source: Hashable {
        let kind: Kind
        let name: String
    }

    /// Lines that were suppressed, and when the first of them was.
    private struct Backlog {
        let kind: Kind
        let begin: MonotonicTime
        var count = 1
    }

    /// The most sources with a bucket of their own. Lines of further
    /// sources count for the common bucket.
    public static var maximumSourceCount: Int { 256 }
    /// How long after the first suppressed line of a kind they are reported.
    public static var reportInterval: Duration { .seconds(10) }

    private let rates: @Sendable (Kind) -> (perSource: LogRate, total: LogRate)
    private var sources: [Source: TokenBucket] = [:]
    private var totals: [Kind: TokenBucket] = [:]
    /// In the order in which the suppression began; one for each kind.
    private var backlogs: [Backlog] = []

    /// Makes a limiter with full buckets.
    ///
    /// - Parameter rates: Returns a kind's limits for one source and for all together,
    ///   always the same for the same kind.
    public init(_ rates: @escaping @Sendable (Kind) -> (perSource: LogRate, total: LogRate)) { self.rates = rates }

    /// Returns whether a line may be written now. If not, it is counted as suppressed.
    ///
    /// - Parameters:
    ///   - kind: The line's kind. It must be of a closed set, such as an enum, because each kind is
    ///     remembered for ever.
    ///   - source: The line's source, such as a connection's address; nil = only the common limit
    ///     applies.
    ///   - now: This moment.
    public mutating func admit(_ kind: Kind, from source: String?, at now: MonotonicTime) -> Bool {
        let (perSource, total) = rates(kind)
        var ofAll = totals[kind] ?? TokenBucket(total)
        let key = source.map { Source(kind: kind, name: $0) }
        var own = key.map { sources[$0] ?? TokenBucket(perSource) }
        guard own?.holdsToken(at: now) != false, ofAll.holdsToken(at: now) else {
            suppress(kind, at: now)
            return false
        }
        ofAll.takeToken(at: now)
        totals[kind] = ofAll
        own?.takeToken(at: now)
        if let key, let own { remember(own, for: key, at: now) }
        return true
    }

    /// Returns what has been suppressed for ``reportInterval``, and counts anew from here on.
    ///
    /// - Parameters:
    ///   - now: This moment.
    ///   - isLast: Whether to return all suppressed lines, however recent, because the program
    ///     ends.
    public mutating func takeSuppressed(at now: MonotonicTime, isLast: Bool = false) -> [Suppressed] {
        let due = backlogs.filter { isLast || now.since($0.begin) >= Self.reportInterval }
        backlogs.removeAll { backlog in due.contains { $0.kind == backlog.kind } }
        return due.map { Suppressed(kind: $0.kind, count: $0.count, duration: now.since($0.begin)) }
    }

    private mutating func suppress(_ kind: Kind, at now: MonotonicTime) {
        if let index = backlogs.firstIndex(where: { $0.kind == kind }) {
            backlogs[index].count &+= 1
        } else {
            backlogs.append(Backlog(kind: kind, begin: now))
        }
    }

    private mutating func remember(_ bucket: TokenBucket, for source: Source, at now: MonotonicTime) {
        if sources[source] == nil, sources.count >= Self.maximumSourceCount {
            // A bucket that is full again is equal to a new one.
            sources = sources.filter { !$0.value.isFull(at: now) }
            guard sources.count < Self.maximumSourceCount else { return }
        }
        sources[source] = bucket
    }

    /// How many sources have a bucket at the moment.
    package var sourceCount: Int { sources.count }
}
