/// Finds out whether the receivers hold up the source: `(event) -> verdict`, without a clock of its
/// own.
///
/// It keeps a balance: the time that the source waits for the receivers, less the time that the
/// receivers wait for the source. A single slow frame is no hold-up, nor are long waits that the
/// source has made up for.
struct SourceHoldUp: Sendable {
    /// How long the source is held up before that is reported.
    static let limit = Duration.seconds(1)

    private var balance = Duration.zero
    private var isReported = false

    /// Notes that the sender waited for the source.
    mutating func waitedForSource(_ time: Duration) { balance = max(.zero, balance - time) }

    /// Notes that the source waited for the receivers. Returns the balance when it must be reported,
    /// which is once.
    mutating func sourceWaited(_ time: Duration) -> Duration? {
        balance += time
        guard balance >= Self.limit, !isReported else { return nil }
        isReported = true
        return balance
    }
}
