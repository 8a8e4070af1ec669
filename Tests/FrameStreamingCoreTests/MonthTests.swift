import Testing

@testable import FrameStreamingCore

/// A month at 120 frames a second, in compressed time: what counts, what estimates and what numbers
/// must be as right at its end as in its first minute.
@Suite struct MonthTests {
    private static let second: Int64 = 1_000_000_000
    private static let seconds: Int64 = 30 * 24 * 3600
    private static let frames = UInt64(seconds) * 120

    /// Two clocks that drift apart by up to 90 ppm, whose drift changes each hour, over a path that
    /// is queued now and then. Some nights a machine is suspended or its clock stepped.
    @Test(arguments: [1, 2, 3] as [UInt64]) func theClocksOffsetStaysWithinItsError(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var filter = ClockFilter()
        // Of the peer's clock minus ours, and how it grows. It begins where a sum of both is near the
        // range's end.
        var (offset, drift) = (Int64.max / 2 - 40 * 24 * 3600 * Self.second, Int64(0))
        var now = Int64(1)
        var (wide, answers) = (0, 0)
        while now < Self.seconds * Self.second {
            if answers % 360 == 0 { drift = Int64.random(in: -90...90, using: &random) }
            if answers % 8640 == 8639 {
                let isStep = Bool.random(using: &random)
                offset += Int64.random(in: -3600...3600, using: &random) * Self.second
                // A suspended machine asks nothing meanwhile.
                if !isStep { now += Int64.random(in: 1...7200, using: &random) * Self.second }
            }
            let isQueued = Int.random(in: 0..<10, using: &random) == 0
            let there = Int64.random(in: 20_000...(isQueued ? 300_000_000 : 2_000_000), using: &random)
            let back = Int64.random(in: 20_000...(isQueued ? 300_000_000 : 2_000_000), using: &random)
            let answered = now + there + back
            let sample = try #require(
                ClockFilter.Sample(
                    asked: now, heard: now + there + offset, said: now + there + offset, answered: answered))
            filter.add(sample, at: answered)
            let estimate = try #require(filter.estimate(at: answered))
            if abs(estimate.offset + offset) > estimate.error {
                Issue.record("after \(answered / Self.second) s: \(estimate), but \(-offset), seed \(seed)")
                return
            }
            if estimate.error > 20_000_000 { wide += 1 }
            #expect(filter.roundTrip(at: answered) != nil)
            now += 10 * Self.second
            offset += 10 * Self.second / 1_000_000 * drift
            answers += 1
        }
        #expect(answers > 200_000 && wide < answers / 100, "\(wide) of \(answers) are wide")
    }

    @Test(arguments: [(120, 1), (120_000, 1001), (30_000, 1001), (7, 3)])
    func theTimesOfAMonthsFramesAreExact(numerator: Int, denominator: Int) throws {
        let rate = try #require(FrameRate(numerator, per: denominator))
        var random = SplitMix(state: 5)
        let last = UInt64(Self.seconds) * UInt64(numerator) / UInt64(denominator)
        for number in (0..<20_000).map({ _ in UInt64.random(in: 0...last, using: &random) }) + [last] {
            let time = rate.nanoseconds(ofFrame: number)
            // floor(number * denominator * 10^9 / numerator), whose parts fit.
            let whole = number.multipliedFullWidth(by: UInt64(denominator) * 1_000_000_000)
            #expect(UInt64(time) == UInt64(numerator).dividingFullWidth(whole).quotient)
            #expect(rate.frame(atNanoseconds: time) == number)
            #expect(rate.frame(atNanoseconds: time - 1) == (number == 0 ? 0 : number - 1))
        }
    }

    /// The durations of one second, doubled until they are those of a month.
    private func month(_ duration: (Int) -> Int64) -> DurationHistogram {
        var (sum, power) = (DurationHistogram(), DurationHistogram())
        for number in 0..<120 { power.record(nanoseconds: duration(number)) }
        for bit in 0..<22 {
            if Self.seconds >> Int64(bit) & 1 == 1 { sum.merge(power) }
            let same = power
            power.merge(same)
        }
        return sum
    }

    @Test func theFiguresOfAMonthAreThoseOfASecond() throws {
        let histogram = month { Int64($0 + 1) * 1_000_000 }
        #expect(histogram.count == Int(Self.frames))
        let summary = try #require(histogram.summary)
        #expect(abs(summary.p50.inMilliseconds - 60) < 0.1 && abs(summary.p99.inMilliseconds - 119) < 0.2)
        #expect(abs(summary.max.inMilliseconds - 120) < 0.2)
    }

    /// 64 such streams in one total: 20 thousand million frames, most of which waited for nothing.
    @Test func theFiguresOfManyStreamsInOneTotalHold() throws {
        var total = ReceiverStatistics()
        var one = ReceiverStatistics()
        one.frames = Int(Self.frames)
        one.bytes = Int(Self.frames) * 500_000
        one.skippedBySender = Int(Self.frames)
        one.queueTime = month { $0 < 100 ? 0 : 5_000_000 }
        one.latency = month { _ in 2_000_000 }
        for _ in 0..<1_000 { one.clockErrors.record(nanoseconds: Int64.max / 1_000_000) }
        for number in 0..<64 {
            // The figures of connections that are over are kept small.
            if number % 2 == 0 { one.queueTime.compact() }
            total.merge(one)
        }
        #expect(total.frames == 64 * Int(Self.frames) && total.bytes == total.frames * 500_000)
        #expect(total.skipped == total.frames)
        #expect(total.queueTime.count == total.frames && total.latency.count == total.frames)
        let queue = try #require(total.queueTime.summary)
        // 100 of 120 waited for nothing, which is 83 %.
        #expect(queue.p50 == .zero && total.queueTime.percentile(83) == .zero)
        #expect(abs(queue.p95.inMilliseconds - 5) < 0.01 && abs(queue.max.inMilliseconds - 5) < 0.01)
        #expect(abs((total.latency.percentile(50)?.inMilliseconds ?? 0) - 2) < 0.01)
        #expect(total.clockError == .nanoseconds(Int64.max / 1_000_000))
    }

    /// What is counted after the counts were halved weighs, and is counted exactly.
    @Test func aFullHistogramGoesOnCounting() throws {
        var histogram = month { _ in 1_000_000 }
        for _ in 0..<4 {
            let same = histogram
            histogram.merge(same)
        }
        let before = histogram.count
        #expect(before == 16 * Int(Self.frames))
        for _ in 0..<1_000 { histogram.record(nanoseconds: 9_000_000) }
        #expect(histogram.count == before + 1_000)
        let summary = try #require(histogram.summary)
        #expect(abs(summary.p99.inMilliseconds - 1) < 0.01 && abs(summary.max.inMilliseconds - 9) < 0.01)
        histogram.compact()
        #expect(histogram.count == before + 1_000 && histogram.summary == summary)
    }

    /// Credit for the numbers before the last one that 64 bits have, as for the first.
    @Test func creditEndsWithTheNumbers() {
        let start = UInt64.max - 1_000
        var credit = CreditGrant(ahead: 16, initial: start)
        var before = start
        for number in (start + 1)...UInt64.max {
            credit.note(bytes: Int(number % 7) * 10_000)
            let through = credit.consume(number, memory: number % 3 == 0 ? 65_536 : nil)
            #expect(through >= before && through >= number && (through == .max || through - number <= 16))
            before = through
        }
        #expect(before == .max)
    }

    /// A link that had nothing to do for a month is as good as on its first day.
    @Test func aLinksRateOutlivesAMonthOfSilence() throws {
        var rate = LinkRate()
        func acknowledge(_ number: UInt64, at now: Int64) {
            var acknowledgement = Acknowledgement(sequence: number, creditThrough: number + 4)
            acknowledgement.arrivalTime = MonotonicTime(nanoseconds: now - 500_000)
            rate.limited(at: now - 1_000_000)
            rate.acknowledged(acknowledgement, bytes: 100_000, sentAt: now - 10_000_000, at: now)
        }
        for number in 1...100 { acknowledge(UInt64(number), at: Int64(number) * 20_000_000) }
        let first = try #require(rate.bytesPerSecond(at: 2 * Self.second))
        let later = try #require(rate.bytesPerSecond(at: Self.seconds * Self.second))
        #expect(later.isFinite && later >= first)
        let start = Self.seconds * Self.second
        for number in 1...100 { acknowledge(Self.frames + UInt64(number), at: start + Int64(number) * 20_000_000) }
        let again = try #require(rate.bytesPerSecond(at: start + 2 * Self.second))
        #expect(abs(again - first) < first / 100, "\(first) and \(again)")
    }
}
