import FrameStreamingCore
import Testing

@Suite struct DurationHistogramTests {
    @Test func percentilesAreThoseOfTheValues() throws {
        var histogram = DurationHistogram()
        #expect(histogram.summary == nil)
        for value in 1...1000 { histogram.record(nanoseconds: Int64(value) * 1_000_000) }
        let summary = try #require(histogram.summary)
        #expect(abs(summary.p50 - 500) <= 1)
        #expect(abs(summary.p95 - 950) <= 1)
        #expect(abs(summary.p99 - 990) <= 1)
        #expect(abs(summary.max - 1000) <= 1)
        #expect(histogram.count == 1000)
    }

    /// From a microsecond to a year.
    @Test(arguments: [
        0, 1, 999, 1023, 1024, 2047, 2048, 2049, 4095, 4096, 65_535, 1_000_000, 123_456_789, 31_536_000_000_000,
    ])
    func threeDigitsOfEverything(_ microseconds: Int64) throws {
        var histogram = DurationHistogram()
        for _ in 0..<3 { histogram.record(nanoseconds: microseconds * 1000) }
        // Far away, so that it is not the largest that counts.
        histogram.record(nanoseconds: .max)
        let median = try #require(histogram.percentile(50))
        #expect(median >= Double(microseconds) / 1000 && median <= Double(microseconds) / 1000 * 1.001)
        #expect(histogram.percentile(75) == histogram.percentile(50))
        #expect(histogram.percentile(100) == Double(Int64.max / 1000) / 1000)
        var alone = DurationHistogram()
        alone.record(nanoseconds: microseconds * 1000)
        #expect(alone.percentile(50) == Double(microseconds) / 1000, "the largest is told as it is")
    }

    @Test func mergedEitherWayIsTheSame() {
        var (short, long) = (DurationHistogram(), DurationHistogram())
        for value in 1...100 {
            short.record(nanoseconds: Int64(value) * 1000)
            long.record(nanoseconds: Int64(value) * 1_000_000_000)
        }
        var (one, other) = (short, long)
        one.merge(long)
        other.merge(short)
        for percent in [0, 1, 50, 50.5, 99, 99.9, 100] as [Double] {
            #expect(one.percentile(percent) == other.percentile(percent))
        }
        #expect(one.count == 200 && one.percentile(50) == 0.1 && one.percentile(100) == 100_000)
    }

    @Test func emptyOnesMergeEitherWay() {
        var (empty, one) = (DurationHistogram(), DurationHistogram())
        empty.merge(DurationHistogram())
        #expect(empty.count == 0 && empty.summary == nil && empty.percentile(50) == nil && empty.description == "none")
        one.record(nanoseconds: 5_000_000)
        one.merge(empty)
        #expect(one.count == 1)
        empty.merge(one)
        one.record(nanoseconds: 6_000_000)
        #expect(empty.count == 1 && one.count == 2)
    }

    @Test func clocksThatDisagreeGiveZeroNotATrap() {
        var histogram = DurationHistogram()
        histogram.record(nanoseconds: -5)
        histogram.record(nanoseconds: .min)
        histogram.record(nanoseconds: .max)
        #expect(histogram.count == 3)
        #expect(histogram.percentile(50) == 0)
    }

    @Test func mergedIsAsIfCountedTogether() {
        var (left, right) = (DurationHistogram(), DurationHistogram())
        for value in 1...500 { left.record(nanoseconds: Int64(value) * 1_000_000) }
        for value in 501...1000 { right.record(nanoseconds: Int64(value) * 1_000_000) }
        left.merge(right)
        #expect(left.count == 1000)
        #expect(abs((left.percentile(99) ?? 0) - 990) <= 1)
    }
}
