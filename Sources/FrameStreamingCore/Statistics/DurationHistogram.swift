/// How long something took, over and over: counts by value, so that percentiles of a stream of any length cost a few
/// dozen kilobytes. Three significant digits, in microseconds (as an HDR histogram has them).
public struct DurationHistogram: Sendable {
    /// How often each place was counted: the microseconds up to 2047 have one each; from there on each doubling has 1024. Taken with the
    /// first value: what is never measured, such as the clock of a text client, costs nothing.
    private var counts: [UInt32] = []
    private var total = 0
    /// In microseconds.
    private var largest: UInt64 = 0

    /// An empty one.
    public init() {}

    /// Where `value` is counted.
    private static func place(of value: UInt64) -> Int {
        let shift = max(0, UInt64.bitWidth - value.leadingZeroBitCount - 11)
        return shift * 1024 + Int(value >> UInt64(shift))
    }

    /// The largest value that is counted at `place`.
    private static func value(at place: Int) -> UInt64 {
        let shift = max(0, place / 1024 - 1)
        return UInt64(place - shift * 1024 + 1) << UInt64(shift) - 1
    }

    /// Room for a second from the start (45 kB), so that it need not grow step by step, in every interval anew.
    private mutating func makeRoom(for place: Int) {
        let wanted = max(11 * 1024, (place / 1024 + 1) * 1024)
        counts.append(contentsOf: repeatElement(0, count: wanted - counts.count))
    }

    /// Counts one duration; a negative one, which two clocks can give, counts as zero.
    public mutating func record(nanoseconds: Int64) {
        let value = UInt64(max(0, nanoseconds)) / 1000
        let place = Self.place(of: value)
        if place >= counts.count { makeRoom(for: place) }
        // Years of a stream are no reason to trap.
        if counts[place] < .max { counts[place] += 1 }
        total += 1
        largest = max(largest, value)
    }

    /// Counts everything that `other` counted.
    public mutating func merge(_ other: DurationHistogram) {
        guard total > 0 else {
            self = other
            return
        }
        if counts.count < other.counts.count { makeRoom(for: other.counts.count - 1) }
        for place in other.counts.indices {
            let (sum, isTooMuch) = counts[place].addingReportingOverflow(other.counts[place])
            counts[place] = isTooMuch ? .max : sum
        }
        total += other.total
        largest = max(largest, other.largest)
    }

    /// How many were counted.
    public var count: Int { total }

    /// The value that `percent` of the durations do not exceed, in milliseconds; nil while there is none.
    public func percentile(_ percent: Double) -> Double? {
        guard total > 0 else { return nil }
        // One step down, so that a product that rounding made a little too large does not count one more.
        let share = max(0, min(percent.nextDown, 100)) / 100
        let wanted = max(1, Int((share * Double(total)).rounded(.up)))
        guard wanted < total else { return Double(largest) / 1000 }
        var sum = 0
        for (place, count) in counts.enumerated() {
            sum += Int(count)
            if sum >= wanted { return Double(min(Self.value(at: place), largest)) / 1000 }
        }
        return Double(largest) / 1000
    }

    /// The figures that summaries give; nil while nothing was counted.
    public var summary: DurationSummary? {
        guard let p50 = percentile(50), let p95 = percentile(95), let p99 = percentile(99), let max = percentile(100)
        else { return nil }
        return DurationSummary(p50: p50, p95: p95, p99: p99, max: max)
    }
}

/// Percentiles of a duration, in milliseconds.
public struct DurationSummary: Hashable, Sendable {
    /// The median.
    public var p50: Double
    /// 95 % are not above it.
    public var p95: Double
    /// 99 % are not above it.
    public var p99: Double
    /// The largest.
    public var max: Double
}

extension DurationHistogram: CustomStringConvertible {
    /// `p50 1.2 ms, p95 2.0, p99 2.5, max 3.1 (300)`, or `none`.
    public var description: String { summary.map { "\($0) (\(count))" } ?? "none" }
}

extension DurationSummary: CustomStringConvertible {
    /// `p50 1.2 ms, p95 2.0, p99 2.5, max 3.1`.
    public var description: String {
        func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
        return "p50 \(tenths(p50)) ms, p95 \(tenths(p95)), p99 \(tenths(p99)), max \(tenths(max))"
    }
}
