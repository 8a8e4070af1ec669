import Testing

@testable import FrameStreamingCore

/// How a sender handles the number of frames that its receiver claims to have
/// consumed, which may be any number.
@Suite struct SessionProgressTests {
    static let extremes: [UInt64] = [0, 1, 2, UInt64(Int64.max), 1 << 63, .max - 2, .max - 1, .max]

    /// A session of which `acknowledged` frames were acknowledged on its first connection.
    private func progress(acknowledged: Int, first consumed: UInt64 = 0) -> SessionProgress {
        var progress = SessionProgress()
        _ = progress.connect(consumed: consumed, underWay: 0)
        for _ in 0..<acknowledged { progress.noteAcknowledgement() }
        return progress
    }

    @Test func whatWasConsumedWithoutAWordIsNotSentAgain() {
        var progress = progress(acknowledged: 10)
        #expect(progress.connect(consumed: 12, underWay: 3) == 2)
        #expect(progress.acknowledged == 12 && progress.connections == 2)
        #expect(progress.connect(consumed: 13, underWay: 1) == 1)
    }

    @Test func aReceiverThatWasRestartedCountsFromZero() {
        var progress = progress(acknowledged: 10)
        #expect(progress.connect(consumed: 0, underWay: 4) == 0)
        progress.noteAcknowledgement()
        #expect(progress.connect(consumed: 3, underWay: 3) == 2)
        #expect(progress.acknowledged == 13)
    }

    @Test func aSenderThatWasRestartedCountsOnFromWhatTheReceiverHas() {
        var progress = progress(acknowledged: 5, first: 100)
        #expect(progress.connect(consumed: 106, underWay: 2) == 1)
        #expect(progress.acknowledged == 6)
    }

    @Test(arguments: extremes, extremes)
    func anyCountIsTakenAndNothingIsPassedOver(first: UInt64, second: UInt64) {
        var progress = progress(acknowledged: 3, first: first)
        for underWay in [0, 1, 2, 1_000] {
            let before = progress.acknowledged
            let consumed = progress.connect(consumed: second, underWay: underWay)
            #expect((0...underWay).contains(consumed))
            #expect(progress.acknowledged == before + UInt64(consumed))
            for _ in 0..<3 { progress.noteAcknowledgement() }
        }
    }

    @Test func aCountBeyondWhatWasSentLosesNothing() {
        var progress = progress(acknowledged: 3)
        // Two frames are in flight: 3, 4 and 5 are possible.
        #expect(progress.connect(consumed: 6, underWay: 2) == 0)
        #expect(progress.acknowledged == 3)
        // From there on the sender counts as the receiver does.
        #expect(progress.connect(consumed: 8, underWay: 2) == 2)
    }
}
