import FrameStreamingCore
import Testing

@Suite struct LogLimiterTests {
    private enum Kind: Hashable { case lost, refused }

    private static func limiter() -> LogLimiter<Kind> {
        LogLimiter { kind in
            switch kind {
            case .lost: (LogRate(burst: 3, interval: .seconds(1)), LogRate(burst: 10, interval: .milliseconds(100)))
            case .refused: (LogRate(burst: 1, interval: .seconds(1)), LogRate(burst: 5, interval: .seconds(1)))
            }
        }
    }

    /// Calls the mutating method, which the macro `expect` cannot.
    private static func admits(
        _ limiter: inout LogLimiter<Kind>, _ kind: Kind, from source: String?, at now: MonotonicTime
    ) -> Bool { limiter.admit(kind, from: source, at: now) }

    private static func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000)
    }

    @Test func aBurstThenOneForEachInterval() {
        var limiter = Self.limiter()
        let admitted = (0..<5_000).filter { limiter.admit(.lost, from: "a", at: Self.at(Int64($0))) }
        #expect(admitted == [0, 1, 2, 1_000, 2_000, 3_000, 4_000])
        // After a silence the burst is available again, and no more.
        let later = (60_000..<60_100).filter { limiter.admit(.lost, from: "a", at: Self.at(Int64($0))) }
        #expect(later == [60_000, 60_001, 60_002])
    }

    @Test func oneFloodLeavesTheOthersTheirLines() {
        var limiter = Self.limiter()
        for time in Int64(0)..<1_000 {
            _ = limiter.admit(.lost, from: "flood", at: Self.at(time))
            if time.isMultiple(of: 400) { #expect(Self.admits(&limiter, .lost, from: "calm", at: Self.at(time))) }
            if time == 500 { #expect(Self.admits(&limiter, .refused, from: "flood", at: Self.at(time))) }
        }
    }

    @Test func allTogetherHaveALimitToo() {
        var limiter = Self.limiter()
        var admitted = 0
        for second in Int64(0)..<10 {
            for source in 0..<1_000 where limiter.admit(.lost, from: "\(second) \(source)", at: Self.at(second * 1_000))
            {
                admitted += 1
            }
        }
        #expect(admitted == 10 * 10)
        // Without a source only this limit holds.
        #expect((0..<50).filter { _ in limiter.admit(.refused, from: nil, at: Self.at(0)) }.count == 5)
    }

    @Test func whatWasSuppressedIsReportedOnceAnIntervalIsOver() {
        var limiter = Self.limiter()
        for time in Int64(0)..<9_000 { _ = limiter.admit(.lost, from: "a", at: Self.at(time)) }
        // The first suppressed line was that of 3 ms.
        #expect(limiter.takeSuppressed(at: Self.at(10_002)).isEmpty)
        let report = limiter.takeSuppressed(at: Self.at(10_003))
        #expect(report.map(\.kind) == [.lost] && report.map(\.count) == [9_000 - 3 - 8])
        #expect(report.map(\.duration) == [.seconds(10)])
        #expect(limiter.takeSuppressed(at: Self.at(30_000), isLast: true).isEmpty)
        for _ in 0..<7 { _ = limiter.admit(.refused, from: nil, at: Self.at(40_000)) }
        _ = limiter.admit(.lost, from: "a", at: Self.at(40_000))
        let last = limiter.takeSuppressed(at: Self.at(40_500), isLast: true)
        #expect(last.map(\.kind) == [.refused] && last.map(\.count) == [2])
        #expect(last.map(\.duration) == [.milliseconds(500)])
    }

    @Test func everyLineIsWrittenOrCounted() {
        var generator = SystemRandomNumberGenerator()
        var limiter = Self.limiter()
        var (said, admitted, counted, now) = (0, 0, 0, Int64(0))
        for _ in 0..<20_000 {
            now += Int64.random(in: 0...40, using: &generator)
            said += 1
            let source = Bool.random(using: &generator) ? "\(Int.random(in: 0..<600, using: &generator))" : nil
            if limiter.admit(Bool.random(using: &generator) ? .lost : .refused, from: source, at: Self.at(now)) {
                admitted += 1
            }
            counted += limiter.takeSuppressed(at: Self.at(now)).reduce(0) { $0 + $1.count }
            #expect(limiter.sourceCount <= LogLimiter<Kind>.maximumSourceCount)
        }
        counted += limiter.takeSuppressed(at: Self.at(now), isLast: true).reduce(0) { $0 + $1.count }
        #expect(said == admitted + counted && counted > 0)
    }

    @Test func aMillionSourcesTakeBoundedMemory() {
        var limiter = LogLimiter<Kind> { _ in
            (LogRate(burst: 1, interval: .seconds(3_600)), LogRate(burst: .max, interval: .nanoseconds(1)))
        }
        for source in 0..<20_000 {
            #expect(Self.admits(&limiter, .lost, from: "\(source)", at: Self.at(0)))
            #expect(limiter.sourceCount <= LogLimiter<Kind>.maximumSourceCount)
        }
        // The first sources are still remembered. A new one is
        // remembered once their buckets are full.
        #expect(!Self.admits(&limiter, .lost, from: "0", at: Self.at(1)))
        #expect(Self.admits(&limiter, .lost, from: "new", at: Self.at(3_600_001)))
        #expect(limiter.sourceCount == 1)
    }

    @Test func theExtremesOfRatesAndTimesOverflowNothing() {
        for rate in [
            LogRate(burst: .max, interval: .seconds(Int64.max)), LogRate(burst: .min, interval: .seconds(Int64.min)),
            LogRate(burst: .max, interval: .nanoseconds(1)), LogRate(burst: 0, interval: .zero),
        ] {
            for time in [Int64.min, -1, 0, 1, .max] {
                var limiter = LogLimiter<Kind> { _ in (rate, rate) }
                let now = MonotonicTime(nanoseconds: time)
                #expect(Self.admits(&limiter, .lost, from: "a", at: now))
                _ = limiter.admit(.lost, from: "a", at: now)
                _ = limiter.takeSuppressed(at: now, isLast: true)
            }
        }
    }
}
