import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// Where a frame's time went, measured by a receiver.
@Suite(.ownThread(atOnce: 4)) struct ReceiverStagesTests {
    static let millisecond: Int64 = 1_000_000

    /// Sends a frame that was captured `age` ago on a clock to which `offset` must be added.
    private func send(
        _ number: UInt64, over transport: MemoryTransport, offset: Int64 = 0,
        _ change: (inout Frame, inout FrameInfo) -> Void = { _, _ in }
    ) throws {
        let format = try FrameFormat(width: 2, height: 2, pixelFormat: .gray8)
        var frame = try Frame.filled(format, sequence: number) { _ in 7 }
        var info = FrameInfo(sequence: number)
        let now = MonotonicTime.now.nanoseconds - offset
        info.sendTime = MonotonicTime(nanoseconds: now)
        info.encodeNanoseconds = 3 * Self.millisecond
        info.creditWaitNanoseconds = 4 * Self.millisecond
        frame.captureTime = CaptureTime(MonotonicTime(nanoseconds: now - 12 * Self.millisecond))
        change(&frame, &info)
        try transport.send(.frame(frame, info), until: .never)
    }

    private func largest(_ histogram: DurationHistogram) throws -> Double {
        try #require(histogram.summary?.max).inMilliseconds
    }

    @Test func theStagesAddUpToTheLatency() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try send(1, over: link.sender)
        #expect(try receiver.next() != nil)
        #expect(receiver.statistics.latency.count == 0)
        link.sender.close()
        receiver.close()
        let statistics = receiver.statistics
        #expect(abs(try largest(statistics.captureDelay) - 5) < 0.01)
        #expect(abs(try largest(statistics.encodeTime) - 3) < 0.01)
        #expect(abs(try largest(statistics.creditWait) - 4) < 0.01)
        let stages = [
            statistics.captureDelay, statistics.creditWait, statistics.encodeTime, statistics.wireTime,
            statistics.queueTime,
            statistics.decodeTime, statistics.consumeTime,
        ]
        #expect(stages.allSatisfy { $0.count == 1 })
        let latency = try largest(statistics.latency)
        // Each counts whole microseconds, with three digits.
        #expect(abs(try stages.map(largest).reduce(0, +) - latency) < 0.01 + 0.002 * latency)
        #expect(statistics.clockError == .zero)
    }

    @Test func aMeasuredClockIsAppliedAndItsErrorTold() throws {
        let offset = 3_600_000_000_000 as Int64
        let link = MemoryTransport.pair(clockOffset: .nanoseconds(offset), clockError: .microseconds(400))
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try send(1, over: link.sender, offset: offset)
        let age = try #require(try receiver.next()?.age)
        #expect(age >= .milliseconds(12) && age < .seconds(60))
        link.sender.close()
        receiver.close()
        let statistics = receiver.statistics
        #expect(try largest(statistics.latency) >= 12 && largest(statistics.latency) < 60_000)
        #expect(try largest(statistics.wireTime) < 60_000)
        #expect(statistics.clockError == .microseconds(400))
        #expect(statistics.description.hasSuffix(" ± 0.4"))
    }

    @Test func withoutAClockTheStagesOfOneSideAreKnown() throws {
        let link = MemoryTransport.pair(clockOffset: nil)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver, decode: nil)
        try send(1, over: link.sender)
        #expect(try receiver.next()?.age == nil)
        link.sender.close()
        receiver.close()
        let statistics = receiver.statistics
        #expect(statistics.latency.count == 0 && statistics.wireTime.count == 0 && statistics.clockError == nil)
        #expect(statistics.decodeTime.count == 0)
        for stage in [
            statistics.captureDelay, statistics.creditWait, statistics.encodeTime, statistics.queueTime,
            statistics.consumeTime,
        ] { #expect(stage.count == 1) }
    }

    @Test func whatTheSenderDoesNotTellIsNotCounted() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        try send(1, over: link.sender) { frame, info in
            info = FrameInfo(sequence: 1)
            frame.captureTime?.clock = .realtime
        }
        #expect(try receiver.next()?.localCaptureTime == nil)
        link.sender.close()
        receiver.close()
        let statistics = receiver.statistics
        for stage in [
            statistics.captureDelay, statistics.creditWait, statistics.encodeTime, statistics.wireTime,
            statistics.latency,
        ] { #expect(stage.count == 0) }
        #expect(statistics.queueTime.count == 1 && statistics.consumeTime.count == 1)
    }

    /// A peer may claim any time: none of them traps.
    @Test(arguments: [Int64.min, .min + 1, -1, 0, .max]) func absurdTimesAreNoTrap(time: Int64) throws {
        for offset in [Int64.min, 0, .max] {
            let link = MemoryTransport.pair(clockOffset: .nanoseconds(offset), clockError: .nanoseconds(Int64.max))
            let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
            for number in 1...3 as ClosedRange<UInt64> {
                try send(number, over: link.sender) { frame, info in
                    frame.captureTime?.nanoseconds = time
                    info.sendTime?.nanoseconds = time
                    info.encodeNanoseconds = time
                    info.creditWaitNanoseconds = time
                }
                let received = try #require(try receiver.next())
                _ = (received.age, received.info.encodeTime, received.info.creditWait, received.info.sendTime?.reading)
                _ = (receiver.peer.clockOffset, receiver.peer.clockError)
            }
            link.sender.close()
            receiver.close()
            let statistics = receiver.statistics
            #expect(statistics.latency.count == 3 && !statistics.description.isEmpty)
            #expect(statistics.encodeTime.summary != nil && statistics.clockError != nil)
        }
    }

    @Test func intervalsAddUpToTheTotal() throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        var sum = ReceiverStatistics()
        for number in 1...6 as ClosedRange<UInt64> {
            try send(number, over: link.sender)
            _ = try receiver.next()
            if number % 2 == 0 {
                let interval = receiver.takeInterval()
                #expect(interval.frames == (number == 2 ? 1 : 2) && interval.consumeTime.count == interval.frames)
                sum.merge(interval)
                #expect(receiver.statistics.frames == sum.frames)
            }
        }
        link.sender.close()
        receiver.close()
        sum.merge(receiver.takeInterval())
        #expect(receiver.takeInterval().frames == 0)
        let total = receiver.statistics
        #expect(total.frames == 6 && sum.frames == 6 && total.wireTime.count == 6 && sum.wireTime.count == 6)
        #expect(total.bytes == sum.bytes && total.latency.summary == sum.latency.summary)
    }
}
