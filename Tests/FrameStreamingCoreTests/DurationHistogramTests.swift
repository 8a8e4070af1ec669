import FrameStreamingCore
import Testing

@Suite struct DurationHistogramTests {
    /// Whether the two differ by 1 ms at most.
    private func isNear(_ one: Duration, _ other: Duration) -> Bool {
        one - other <= .milliseconds(1) && other - one <= .milliseconds(1)
    }

    @Test func percentilesAreThoseOfTheValues() throws {
        var histogram = DurationHistogram()
        #expect(histogram.summary == nil)
        for value in 1...1000 { histogram.record(nanoseconds: Int64(value) * 1_000_000) }
        let summary = try #require(histogram.summary)
        #expect(isNear(summary.p50, .milliseconds(500)))
        #expect(isNear(summary.p95, .milliseconds(950)))
        #expect(isNear(summary.p99, .milliseconds(990)))
        #expect(isNear(summary.max, .milliseconds(1000)))
        #expect(histogram.count == 1000)
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

    @Test func clocksThatDisagreeGiveZeroNotATrap() throws {
        var histogram = DurationHistogram()
        histogram.record(nanoseconds: -5)
        histogram.record(nanoseconds: .min)
        histogram.record(.seconds(Int64.max))
        histogram.record(.seconds(Int64.min))
        histogram.record(nanoseconds: .max)
        #expect(histogram.count == 5)
        #expect(histogram.percentile(50) == .zero)
        // The summary of such times is no trap either.
        #expect(try #require(histogram.summary).max > .seconds(9_000_000_000))
        #expect(!histogram.description.isEmpty)
    }

    @Test func mergedIsAsIfCountedTogether() {
        var (left, right) = (DurationHistogram(), DurationHistogram())
        for value in 1...500 { left.record(nanoseconds: Int64(value) * 1_000_000) }
        for value in 501...1000 { right.record(nanoseconds: Int64(value) * 1_000_000) }
        left.merge(right)
        #expect(left.count == 1000)
        #expect(isNear(left.percentile(99) ?? .zero, .milliseconds(990)))
    }

    @Test func whatIsCompactSaysTheSame() {
        var whole = DurationHistogram()
        for number in 0..<5000 { whole.record(nanoseconds: Int64(number) * Int64(number) * 1000) }
        var compact = whole
        compact.compact()
        #expect(compact.count == 5000 && compact.summary == whole.summary)
        // A compact histogram can count further values.
        var both = compact
        both.merge(whole)
        var twice = whole
        twice.merge(compact)
        var again = compact
        again.merge(compact)
        #expect(both.count == 10_000 && both.summary == whole.summary)
        #expect(twice.count == 10_000 && twice.summary == whole.summary)
        #expect(again.count == 10_000 && again.summary == whole.summary)
        compact.record(nanoseconds: 1_000_000)
        whole.record(nanoseconds: 1_000_000)
        #expect(compact.count == 5001 && compact.summary == whole.summary)
        var nothing = DurationHistogram()
        nothing.compact()
        #expect(nothing.count == 0 && nothing.summary == nil)
        nothing.merge(again)
        #expect(nothing.count == 10_000)
    }
}
