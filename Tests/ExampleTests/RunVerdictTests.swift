import ExampleSupport
import FrameStreamingCore
import Testing

@Suite struct RunVerdictTests {
    private let ended = RunVerdict(isInterrupted: false, failsOnDrop: false)
    private let interrupted = RunVerdict(isInterrupted: true, failsOnDrop: false)
    private let strict = RunVerdict(isInterrupted: false, failsOnDrop: true)

    private func receiver(_ change: (inout ReceiverStatistics) -> Void) -> ReceiverStatistics {
        var figures = ReceiverStatistics()
        change(&figures)
        return figures
    }

    private func sender(_ change: (inout SenderStatistics) -> Void) -> SenderStatistics {
        var figures = SenderStatistics()
        change(&figures)
        return figures
    }

    @Test func nothingSentIsNoFailure() {
        for verdict in [ended, interrupted, strict] {
            #expect(verdict.complaints(about: ReceiverStatistics()).isEmpty)
            #expect(verdict.complaints(about: SenderStatistics(), leftOut: 0).isEmpty)
        }
    }

    @Test func aPictureThatArrivedIsEnough() {
        let received = receiver {
            $0.frames = 1
            $0.decodeFailures = 99
            $0.skippedBySender = 7
        }
        let sent = sender {
            $0.produced = 100
            $0.acknowledged = 1
            $0.dropped.replaced = 99
        }
        for verdict in [ended, interrupted] {
            #expect(verdict.complaints(about: received).isEmpty)
            #expect(verdict.complaints(about: sent, leftOut: 3).isEmpty)
        }
        #expect(strict.complaints(about: received).first?.hasPrefix("106 pictures") == true)
        #expect(strict.complaints(about: sent, leftOut: 3).first?.hasPrefix("102 pictures") == true)
    }

    @Test func undecodablePicturesAreAFailureHoweverTheRunEnds() {
        let received = receiver { $0.decodeFailures = 6 }
        let sent = sender {
            $0.produced = 6
            $0.failed = 6
        }
        for verdict in [ended, interrupted] {
            #expect(verdict.complaints(about: received).first?.contains("none of the 6 pictures") == true)
            #expect(verdict.complaints(about: sent, leftOut: 0).first?.contains("none of 6 pictures") == true)
        }
    }

    @Test func sentAndNotArrivedIsAFailureUnlessTheUserEndedIt() {
        for received in [receiver { $0.bytes = 1 }, receiver { $0.skippedBySender = 1 }] {
            #expect(ended.complaints(about: received).count == 1)
            #expect(interrupted.complaints(about: received).isEmpty)
        }
        let sent = sender {
            $0.produced = 3
            $0.dropped.disconnected = 3
        }
        #expect(ended.complaints(about: sent, leftOut: 0).count == 1)
        #expect(interrupted.complaints(about: sent, leftOut: 0).isEmpty)
    }

    @Test func whatWasOnItsWayWhenTheUserEndedItIsNoDrop() {
        let sent = sender {
            $0.produced = 9
            $0.acknowledged = 7
            $0.lost = 1
            $0.dropped.disconnected = 1
        }
        let verdict = RunVerdict(isInterrupted: true, failsOnDrop: true)
        #expect(verdict.complaints(about: sent, leftOut: 0).isEmpty)
        #expect(strict.complaints(about: sent, leftOut: 0).first?.hasPrefix("2 pictures") == true)
        #expect(verdict.complaints(about: sent, leftOut: 1).first?.hasPrefix("1 picture was") == true)
    }

    /// A peer chooses the number of the next frame, and with it how many were skipped.
    @Test func theLargestCountsOverflowNothing() {
        let received = receiver {
            $0.frames = 1
            $0.skippedBySender = .max
            $0.decodeFailures = .max
        }
        #expect(strict.complaints(about: received).count == 1)
        let sent = sender {
            $0.acknowledged = 1
            $0.lost = .max
            $0.failed = .max
        }
        #expect(strict.complaints(about: sent, leftOut: .max).count == 1)
    }
}
