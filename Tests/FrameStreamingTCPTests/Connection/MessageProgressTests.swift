import FrameStreamingCore
import Testing

@testable import FrameStreamingTCP

/// How the progress of a message is judged, on a scripted clock.
@Suite struct MessageProgressTests {
    private static let limits = TCPOptions().progressLimits
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private func time(_ seconds: Double) -> MonotonicTime {
        Self.start.advanced(by: .nanoseconds(Int64(seconds * 1e9)))
    }

    /// When and how a connection ends whose bytes moved at these times; nil if it never ends.
    private func end(
        _ steps: [(seconds: Double, bytes: UInt64)], _ limits: MessageProgress.Limits = limits
    ) -> (seconds: Double, MessageProgress.Verdict)? {
        var progress = MessageProgress(limits, at: Self.start)
        for (seconds, bytes) in steps {
            let verdict = progress.look(bytes, at: time(seconds))
            guard case .goesOn(let until) = verdict else { return (seconds, verdict) }
            #expect(until > time(seconds), "it would be looked at again and again")
        }
        return nil
    }

    /// `count` intervals with `bytes` in each.
    private func steadily(every seconds: Double, _ bytes: UInt64, count: Int) -> [(Double, UInt64)] {
        (1...count).map { (Double($0) * seconds, UInt64($0) * bytes) }
    }

    @Test func aMegabyteAt27KilobytesASecond() {
        #expect(end(steadily(every: 0.1, 2_700, count: 370)) == nil)
    }

    @Test func aLinkThatPausesAndGoesOn() {
        #expect(end([(1, 50_000), (29, 50_000), (30.9, 50_001), (60.5, 400_000)]) == nil)
    }

    @Test func standingStillIsABreak() {
        let end = end([(1, 50_000), (30, 50_000), (30.999, 50_000), (31, 50_000)])
        #expect(end?.seconds == 31 && end?.1 == .standsStill)
    }

    @Test func aByteNowAndThenIsCutOffAfterAMinute() {
        let end = end(steadily(every: 10, 1, count: 100))
        #expect(end?.seconds == 60 && end?.1 == .tooSlow)
    }

    @Test func aPeerThatWasFastAndThenTricklesIsCutOffInTheNextMinute() {
        let end = end([(1, 1_000_000)] + steadily(every: 10, 1, count: 100).map { ($0.0 + 1, $0.1 + 1_000_000) })
        #expect(end.map { $0.seconds > 60 && $0.seconds <= 131 && $0.1 == .tooSlow } == true)
    }

    @Test func theMinimumRateItselfIsEnoughAndLessIsNot() {
        #expect(end(steadily(every: 1, 1_000, count: 600)) == nil)
        #expect(end(steadily(every: 1, 999, count: 600))?.1 == .tooSlow)
    }

    @Test func withoutAMinimumRateEveryByteCounts() {
        let any = MessageProgress.Limits(standstill: .seconds(30))
        #expect(end(steadily(every: 29, 1, count: 1_000), any) == nil)
    }

    @Test func aProgramThatWasStoppedCountsBytesThatMovedMeanwhile() {
        // 33 s pass without a look, and then bytes have moved: that is progress.
        #expect(end([(1, 10), (34, 70_000), (36, 80_000)]) == nil)
    }

    @Test(arguments: [0, 1, .max - 1, .max] as [UInt64]) func anyCounterAndAnyLimits(from bytes: UInt64) {
        for limits in [
            Self.limits, .init(standstill: .nanoseconds(Int64.max), minimumRate: .max, window: .nanoseconds(Int64.max)),
            .init(standstill: .nanoseconds(1), minimumRate: 1, window: .nanoseconds(1)),
        ] {
            var progress = MessageProgress(limits, from: bytes, at: MonotonicTime(nanoseconds: 0))
            for step in [0, 1, .max / 2, .max] as [Int64] {
                let verdict = progress.look(bytes &+ UInt64(step), at: MonotonicTime(nanoseconds: step))
                #expect(verdict.error(limits, address: "peer").map { $0.code == .connectionLost } ?? true)
            }
        }
    }
}
