/// The error of times across two machines, over many frames.
struct ClockErrors: Hashable, Sendable {
    private var sum: Int64 = 0
    private var count: Int64 = 0

    mutating func record(nanoseconds: Int64) {
        let (more, overflow) = sum.addingReportingOverflow(nanoseconds)
        // An error of centuries: nothing is known about that clock.
        guard !overflow else { return }
        sum = more
        count += 1
    }

    mutating func merge(_ other: ClockErrors) {
        let (more, overflow) = sum.addingReportingOverflow(other.sum)
        guard !overflow else { return }
        sum = more
        count += other.count
    }

    /// The mean over the frames, rounded up, because it is an upper bound; nil without frames.
    var mean: Duration? {
        guard count > 0 else { return nil }
        let (quotient, remainder) = sum.quotientAndRemainder(dividingBy: count)
        return .nanoseconds(remainder > 0 ? quotient + 1 : quotient)
    }
}
