internal import Histogram

/// Counts durations by value, so that percentiles of a stream of any length cost a few dozen
/// kilobytes. It is an HDR histogram with three significant digits, in microseconds. Beyond 2
/// thousand million durations, which 60 streams of 60 frames a second have in a week, older ones
/// weigh less than newer ones.
public struct DurationHistogram: Sendable {
    /// Made with the first value, so that a duration that is never measured costs nothing.
    private var histogram: Histogram<UInt32>?
    /// The compact form: then there is no histogram.
    private var compacted: [(value: UInt64, count: UInt32)] = []
    /// The sum of all counts. Below ``most``, so that no count of 32 bits overflows, and neither
    /// does one of two histograms together.
    private var weight: UInt64 = 0
    /// Durations that were counted and are not in ``weight`` any more.
    private var halved: UInt64 = 0

    private static let most: UInt64 = 1 << 31

    /// An empty one.
    public init() {}

    /// Copied with the first value, because making a histogram sets 11,000 zeros one by one.
    private static let empty = {
        // Room for a second from the start, so that it need not grow step by step.
        var histogram = Histogram<UInt32>(highestTrackableValue: 1 << 20, numberOfSignificantValueDigits: .three)
        histogram.autoResize = true
        return histogram
    }()

    /// Counts one duration; a negative one, which two clocks can give, counts as zero.
    public mutating func record(_ duration: Duration) { record(nanoseconds: duration.wholeNanoseconds) }

    /// Counts one duration in nanoseconds, without the cost of 128 bits.
    package mutating func record(nanoseconds: Int64) {
        // A comparison with nil would copy the histogram, which costs
        // three times as much as counting.
        if case .none = histogram { expand() }
        histogram?.record(UInt64(max(0, nanoseconds) / 1000))
        weight &+= 1
        if weight >= Self.most { halve() }
    }

    /// Counts everything that `other` counted.
    public mutating func merge(_ other: DurationHistogram) {
        mergeCounts(other)
        weight &+= other.weight
        halved = halved.addingClamped(other.halved)
        if weight >= Self.most { halve() }
    }

    /// Halves all counts, the smallest of which stay 1: percentiles stay as they are.
    private mutating func halve() {
        compact()
        let whole = weight
        compacted = compacted.map { (value: $0.value, count: $0.count / 2 + $0.count % 2) }
        weight = compacted.reduce(0) { $0 + UInt64($1.count) }
        halved = halved.addingClamped(whole - weight)
        expand()
    }

    private mutating func mergeCounts(_ other: DurationHistogram) {
        if let theirs = other.histogram {
            if case .none = histogram, compacted.isEmpty { return histogram = theirs }
            if case .none = histogram { expand() }
            histogram?.add(theirs)
        } else if case .none = histogram, compacted.isEmpty {
            compacted = other.compacted
        } else if !other.compacted.isEmpty {
            if case .none = histogram { expand() }
            for (value, count) in other.compacted { histogram?.record(value, count: count) }
        }
    }

    /// Keeps only the values that occur, instead of 44 kB, for figures that are kept and rarely
    /// read. The next counted value makes it large again.
    package mutating func compact() {
        guard let histogram else { return }
        // Only from the smallest value to the largest. The library's own sequence begins at zero,
        // which was most of the work at the end of a stream with ten histograms.
        compacted = []
        var (value, left) = (histogram.min, histogram.totalCount)
        while left > 0, value <= histogram.maxRecorded {
            let count = histogram.countForValue(value)
            if count > 0 {
                // Each entry stands for values up to it, the last one for those up to the largest.
                compacted.append((min(histogram.highestEquivalentForValue(value), histogram.maxRecorded), count))
                left -= min(left, UInt64(count))
            }
            value = histogram.nextNonEquivalentForValue(value)
        }
        self.histogram = nil
    }

    private mutating func expand() {
        var histogram = Self.empty
        for (value, count) in compacted { histogram.record(value, count: count) }
        compacted = []
        self.histogram = histogram
    }

    private var expanded: Histogram<UInt32>? {
        if histogram != nil || compacted.isEmpty { return histogram }
        var copy = self
        copy.expand()
        return copy.histogram
    }

    /// How many were counted.
    public var count: Int { Int(clamping: weight.addingClamped(halved)) }

    /// The duration that `percent` of all do not exceed; nil while there is none.
    public func percentile(_ percent: Double) -> Duration? {
        guard let histogram = expanded, histogram.totalCount > 0 else { return nil }
        return .microseconds(histogram.valueAtPercentile(percent))
    }

    /// The figures that summaries give; nil while nothing was counted.
    public var summary: DurationSummary? {
        var whole = self
        whole.histogram = expanded
        guard let p50 = whole.percentile(50), let p95 = whole.percentile(95), let p99 = whole.percentile(99),
            let max = whole.percentile(100)
        else { return nil }
        return DurationSummary(p50: p50, p95: p95, p99: p99, max: max)
    }
}

/// Percentiles of a duration.
public struct DurationSummary: Hashable, Sendable {
    /// The median.
    public var p50: Duration
    /// 95 % are not above it.
    public var p95: Duration
    /// 99 % are not above it.
    public var p99: Duration
    /// The largest.
    public var max: Duration
}

extension DurationHistogram: CustomStringConvertible {
    /// `p50 1.2 ms, p95 2.0, p99 2.5, max 3.1 (300)`, or `none`.
    public var description: String { summary.map { "\($0) (\(count))" } ?? "none" }
}

extension DurationSummary: CustomStringConvertible {
    /// `p50 1.2 ms, p95 2.0, p99 2.5, max 3.1`.
    public var description: String {
        func tenths(_ value: Duration) -> Double { (value.inMilliseconds * 10).rounded() / 10 }
        return "p50 \(tenths(p50)) ms, p95 \(tenths(p95)), p99 \(tenths(p99)), max \(tenths(max))"
    }
}
