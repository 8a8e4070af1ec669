/// Finds out whether the receivers hold up the source: `(event) -> verdict`, without a clock of its
/// own.
///
/// The time that the source waits for the receivers counts up, and the time that it is waited for
/// counts down. So neither a single slow frame is a hold-up, nor a source that reads large frames.
struct SourceHoldUp: Sendable {
    /// How long the source is held up before that is reported.
    static let limit = Duration.seconds(1)

    private var balance = Duration.zero
    private var isReported = false

    /// Notes that the sender waited for the source.
    mutating func waitedForSource(_ time: Duration) { balance = max(.zero, balance - time) }

    /// Notes that the source waited for the receivers. Returns for how long in total, the first
    /// time that this must be reported.
    mutating func sourceWaited(_ time: Duration) -> Duration? {
        balance += time
        guard balance >= Self.limit, !isReported else { return nil }
        isReported = true
        return balance
    }
}
