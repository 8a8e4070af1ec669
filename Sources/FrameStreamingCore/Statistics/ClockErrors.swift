/// By how much times across two machines may be wrong, over many frames.
struct ClockErrors: Hashable, Sendable {
    private var sum: Int64 = 0
    private var count: Int64 = 0

    mutating func record(nanoseconds: Int64) {
        let (more, overflow) = sum.addingReportingOverflow(nanoseconds)
        // Centuries of error: what is known of that clock is nothing.
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

    /// In milliseconds, over the frames; nil while there is none.
    var mean: Double? { count == 0 ? nil : Double(sum) / Double(count) / 1e6 }
}
