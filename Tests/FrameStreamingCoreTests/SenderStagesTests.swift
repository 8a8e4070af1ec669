import Testing

@testable import FrameStreamingCore

/// Where a frame's time went, measured by a sender.
@Suite struct SenderStagesTests {
    static let millisecond: Int64 = 1_000_000

    private func word(arrived: Int64?, consumed: Int64?) -> Acknowledgement {
        var word = Acknowledgement(sequence: 1, creditThrough: 2)
        word.arrivalTime = arrived.map { MonotonicTime(nanoseconds: $0 * Self.millisecond) }
        word.consumedTime = consumed.map { MonotonicTime(nanoseconds: $0 * Self.millisecond) }
        return word
    }

    private func time(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * Self.millisecond)
    }

    private func only(_ histogram: DurationHistogram) throws -> Double {
        #expect(histogram.count == 1)
        return try #require(histogram.percentile(50)).inMilliseconds.rounded()
    }

    @Test func whatIsKnownIsCounted() throws {
        var stages = SenderStages()
        var info = FrameInfo(sequence: 1)
        info.encodeNanoseconds = 3 * Self.millisecond
        info.creditWaitNanoseconds = 4 * Self.millisecond
        stages.record(sent: info, captured: CaptureTime(time(100)), offered: time(105))
        // The receiver's clock is 1 s ahead.
        stages.record(
            acknowledged: word(arrived: 1130, consumed: 1145), sent: time(112), at: time(150),
            clock: ClockFilter.Estimate(offset: -1000 * Self.millisecond, error: 500_000))
        let total = stages.total
        #expect(try only(total.captureDelay) == 5 && only(total.creditWait) == 4 && only(total.encodeTime) == 3)
        #expect(try only(total.wireTime) == 18 && only(total.receiverTime) == 15 && only(total.ackTime) == 38)
        #expect(total.clockError == .microseconds(500))
        #expect(total.queueTime.count == 0 && total.decodeTime.count == 0 && total.consumeTime.count == 0)
    }

    @Test func whatTheReceiverSaysOfItsStagesIsCounted() throws {
        var stages = SenderStages()
        var word = word(arrived: 130, consumed: 145)
        word.queueNanoseconds = 4 * Self.millisecond
        word.decodeNanoseconds = 9 * Self.millisecond
        stages.record(acknowledged: word, sent: time(112), at: time(150), clock: nil)
        #expect(try only(stages.total.queueTime) == 4 && only(stages.total.decodeTime) == 9)
        #expect(try only(stages.total.consumeTime) == 2 && only(stages.total.receiverTime) == 15)
        // A consumer of encoded frames decodes nothing.
        word.decodeNanoseconds = nil
        var others = SenderStages()
        others.record(acknowledged: word, sent: time(112), at: time(150), clock: nil)
        #expect(try only(others.total.consumeTime) == 11 && others.total.decodeTime.count == 0)
    }

    @Test func whatIsNotKnownIsNot() {
        var stages = SenderStages()
        let stamp = CaptureTime(nanoseconds: 5, clock: .realtime)
        stages.record(sent: FrameInfo(sequence: 1), captured: stamp, offered: time(1))
        stages.record(sent: FrameInfo(sequence: 2), captured: nil, offered: time(1))
        let here = ClockFilter.Estimate(offset: 0, error: 0)
        stages.record(acknowledged: word(arrived: nil, consumed: 9), sent: time(1), at: time(2), clock: here)
        stages.record(acknowledged: word(arrived: 5, consumed: nil), sent: time(1), at: time(2), clock: nil)
        let total = stages.total
        #expect([total.captureDelay, total.creditWait, total.encodeTime, total.wireTime].allSatisfy { $0.count == 0 })
        #expect(total.receiverTime.count == 0 && total.ackTime.count == 2 && total.clockError == nil)
    }

    @Test func absurdTimesAreNoTrap() {
        var stages = SenderStages()
        let edges: [Int64] = [.min, -1, 0, .max]
        for one in edges {
            for other in edges {
                let (left, right) = (MonotonicTime(nanoseconds: one), MonotonicTime(nanoseconds: other))
                stages.record(sent: FrameInfo(sequence: 1), captured: CaptureTime(left), offered: right)
                var word = word(arrived: nil, consumed: nil)
                word.arrivalTime = left
                word.consumedTime = right
                stages.record(
                    acknowledged: word, sent: right, at: left, clock: ClockFilter.Estimate(offset: other, error: .max))
            }
        }
        #expect(stages.total.wireTime.count == 16)
    }

    @Test func intervalsAddUpToTheTotal() {
        var stages = SenderStages()
        var sum = SenderStatistics()
        for round in 1...3 {
            for _ in 0..<round {
                stages.record(sent: FrameInfo(sequence: 1), captured: CaptureTime(time(1)), offered: time(2))
            }
            let interval = stages.takeInterval()
            #expect(interval.captureDelay.count == round)
            sum.merge(interval)
        }
        #expect(stages.takeInterval().captureDelay.count == 0)
        #expect(stages.total.captureDelay.count == 6 && sum.captureDelay.count == 6)
    }
}
