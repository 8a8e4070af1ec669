internal import Histogram

/// How long something took, over and over: counts by value, so that percentiles of a stream of any length cost a few
/// dozen kilobytes. Three significant digits, in microseconds (an HDR histogram).
public struct DurationHistogram: Sendable {
    /// Made with the first value: what is never measured, such as the clock of a text client, costs nothing.
    private var histogram: Histogram<UInt32>?

    /// An empty one.
    public init() {}

    /// Copied with the first value. To make one counts 11,000 zeros one by one, in every interval of every connection anew.
    private static let empty = {
        // Room for a second from the start, so that it need not grow step by step.
        var histogram = Histogram<UInt32>(highestTrackableValue: 1 << 20, numberOfSignificantValueDigits: .three)
        histogram.autoResize = true
        return histogram
    }()

    /// Counts one duration; a negative one, which two clocks can give, counts as zero.
    public mutating func record(nanoseconds: Int64) {
        // Not compared with nil, which copies the whole of it: three times what counting costs.
        if case .none = histogram { histogram = Self.empty }
        histogram?.record(UInt64(max(0, nanoseconds) / 1000))
    }

    /// Counts everything that `other` counted.
    public mutating func merge(_ other: DurationHistogram) {
        guard let theirs = other.histogram else { return }
        if case .none = histogram { histogram = theirs } else { histogram?.add(theirs) }
    }

    /// How many were counted.
    public var count: Int { Int(clamping: histogram?.totalCount ?? 0) }

    /// The value that `percent` of the durations do not exceed, in milliseconds; nil while there is none.
    public func percentile(_ percent: Double) -> Double? {
        guard let histogram, histogram.totalCount > 0 else { return nil }
        return Double(histogram.valueAtPercentile(percent)) / 1000
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
