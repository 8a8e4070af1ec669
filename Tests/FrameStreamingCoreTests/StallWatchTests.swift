import Testing

@testable import FrameStreamingCore

/// Whether a receiver that is waited for gets on, by a clock of the test's own.
@Suite struct StallWatchTests {
    private func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(seconds * 1e9)) }

    private func progress(_ seconds: Double, bytes: UInt64? = nil) -> StallWatch.Progress {
        StallWatch.Progress(time: at(seconds), bytes: bytes)
    }

    @Test func aStallIsSaidAndThenGivenUp() {
        var watch = StallWatch(since: at(100), patience: .seconds(30))
        var said: [Int64] = []
        // In slices of 50 ms, as a sender waits. What it did before it was waited for counts for nothing.
        for slice in 1..<600 {
            switch watch.look(progress(10), at: at(100 + Double(slice) * 0.05)) {
            case .waits: break
            case .stalled(let quiet, let left):
                said.append(quiet.components.seconds)
                #expect(left.map { $0 + quiet } == .seconds(30))
            case .givenUp: Issue.record("given up after \(slice) slices")
            }
        }
        #expect(said == [3, 6, 12, 24])
        #expect(watch.look(progress(10), at: at(130)) == .givenUp(.seconds(30)))
    }

    @Test func withoutPatienceItIsSaidMoreAndMoreRarely() {
        var watch = StallWatch(since: at(0), patience: nil)
        var words = 0
        for second in 1...86_400 {
            switch watch.look(progress(0), at: at(Double(second))) {
            case .waits: break
            case .stalled(_, let left):
                words += 1
                #expect(left == nil)
            case .givenUp: Issue.record("given up after \(second) s")
            }
        }
        #expect(words == 15)
    }

    @Test func everyAcknowledgementBeginsAnew() {
        var watch = StallWatch(since: at(0), patience: .seconds(5))
        for second in stride(from: 4.0, through: 4000, by: 4) {
            let verdict = watch.look(progress(second - 4), at: at(second))
            #expect(verdict == .stalled(.seconds(4), left: .seconds(1)))
            #expect(watch.look(progress(second), at: at(second)) == .waits)
        }
        #expect(watch.look(progress(4000), at: at(4005)) == .givenUp(.seconds(5)))
    }

    @Test func aLargeFrameOnASlowLinkIsNotCutOff() {
        var watch = StallWatch(since: at(0), patience: .seconds(2))
        // An hour for one frame, a byte a second: nothing is acknowledged, and it moves.
        for second in 1...3600 {
            #expect(watch.look(progress(0, bytes: UInt64(second)), at: at(Double(second))) == .waits)
        }
        #expect(watch.look(progress(0, bytes: 3600), at: at(3601.9)) == .waits)
        #expect(watch.look(progress(0, bytes: 3600), at: at(3602)) == .givenUp(.seconds(2)))
    }

    @Test func aConnectionThatKnowsNothingOfItsBytesGoesByAcknowledgements() {
        var watch = StallWatch(since: at(0), patience: .seconds(2))
        #expect(watch.look(progress(0), at: at(1)) == .waits)
        #expect(watch.look(progress(0), at: at(2)) == .givenUp(.seconds(2)))
    }

    @Test func whoAskedForThePauseMayHaveIt() {
        var watch = StallWatch(since: at(0), patience: .seconds(2))
        #expect(watch.look(progress(0), mayRest: true, at: at(1000)) == .waits)
        #expect(watch.look(progress(0), at: at(1001)) == .waits)
        #expect(watch.look(progress(0), at: at(1002)) == .givenUp(.seconds(2)))
    }
}
