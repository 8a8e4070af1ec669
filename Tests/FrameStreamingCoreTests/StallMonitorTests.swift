import Testing

@testable import FrameStreamingCore

/// How progress is judged while a sender waits for its receiver, on a scripted clock.
@Suite struct StallMonitorTests {
    private func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64((seconds * 1e9).rounded())) }

    private func progress(_ seconds: Double, bytes: UInt64? = nil) -> StallMonitor.Progress {
        StallMonitor.Progress(time: at(seconds), bytes: bytes)
    }

    @Test func patienceEndsWhenNothingMoves() {
        var watch = StallMonitor(since: at(100), patience: .seconds(30))
        // Looks every 50 ms, as a waiting sender does. Progress before the wait does not count.
        for slice in 1..<600 {
            let quiet = Duration.milliseconds(50) * slice
            #expect(
                watch.look(progress(10), at: at(100 + Double(slice) / 20)) == .waits(quiet, left: .seconds(30) - quiet))
        }
        #expect(watch.look(progress(10), at: at(130)) == .givenUp(.seconds(30)))
    }

    @Test func withoutALimitItIsForEver() {
        var watch = StallMonitor(since: at(0), patience: nil)
        #expect(watch.look(progress(0), at: at(1e6)) == .waits(.seconds(1_000_000), left: nil))
    }

    @Test func everyAcknowledgementBeginsAnew() {
        var watch = StallMonitor(since: at(0), patience: .seconds(5))
        for second in stride(from: 4.0, through: 4000, by: 4) {
            #expect(watch.look(progress(second - 4), at: at(second)) == .waits(.seconds(4), left: .seconds(1)))
            #expect(watch.look(progress(second), at: at(second)) == .waits(.zero, left: .seconds(5)))
        }
        #expect(watch.look(progress(4000), at: at(4005)) == .givenUp(.seconds(5)))
    }

    @Test func aLargeFrameOnASlowLinkIsNotCutOff() {
        var watch = StallMonitor(since: at(0), bytes: 0, patience: .seconds(2))
        // One frame takes an hour at a byte a second: nothing is acknowledged, but bytes move.
        for second in 1...3600 {
            let verdict = watch.look(progress(0, bytes: UInt64(second)), at: at(Double(second)))
            #expect(verdict == .waits(.zero, left: .seconds(2)))
        }
        #expect(watch.look(progress(0, bytes: 3600), at: at(3601)) == .waits(.seconds(1), left: .seconds(1)))
        #expect(watch.look(progress(0, bytes: 3600), at: at(3602)) == .givenUp(.seconds(2)))
    }

    @Test func aConnectionThatKnowsNothingOfItsBytesGoesByAcknowledgements() {
        var watch = StallMonitor(since: at(0), patience: .seconds(2))
        #expect(watch.look(progress(0), at: at(1)) == .waits(.seconds(1), left: .seconds(1)))
        #expect(watch.look(progress(0), at: at(2)) == .givenUp(.seconds(2)))
    }

    @Test func aPauseOnRequestIsNoStall() {
        var watch = StallMonitor(since: at(0), patience: .seconds(2))
        #expect(watch.look(progress(0), mayRest: true, at: at(1000)) == .waits(.zero, left: .seconds(2)))
        #expect(watch.look(progress(0), at: at(1001)) == .waits(.seconds(1), left: .seconds(1)))
        #expect(watch.look(progress(0), at: at(1002)) == .givenUp(.seconds(2)))
    }

    // MARK: Reports

    @Test func aStallIsReportedMoreAndMoreRarely() {
        var words = StallReports()
        let said = (1...86_400).filter { words.isDue(.seconds($0), acknowledged: 5) }
        #expect(said == (0...14).map { 3 << $0 })
    }

    @Test func aReceiverThatIsSlowWithEveryPictureIsNotReportedEachTime() {
        var words = StallReports()
        var said: [Int] = []
        // Each picture takes 5 s, for hours.
        for picture in 1...5000 {
            for second in 1...5 where words.isDue(.seconds(second), acknowledged: UInt64(picture)) {
                said.append(picture)
            }
        }
        #expect(said == [1])
    }

    @Test func aStallAfterARecoveryIsReportedAgain() {
        var words = StallReports()
        let stalls: [(seconds: Int, acknowledged: UInt64)] = [(100, 10), (3, 17), (3, 24), (3, 32)]
        let said = stalls.map { words.isDue(.seconds($0.seconds), acknowledged: $0.acknowledged) }
        #expect(said == [true, false, false, true])
    }
}
