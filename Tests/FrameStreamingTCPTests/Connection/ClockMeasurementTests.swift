import FrameStreamingCore
import Testing

@testable import FrameStreamingTCP

@Suite struct ClockMeasurementTests {
    static let millisecond: Int64 = 1_000_000

    @Test func eightInTheFirstSecondThenOneASecond() {
        var watch = ClockMeasurement(.another, measuresRoundTrip: false, start: 0)
        var now: Int64 = 5_000_000_000
        let start = now
        var times: [Int64] = []
        while now < start + 10_000 * Self.millisecond {
            if watch.dueTime <= now {
                #expect(watch.ask(at: now).id == UInt64(times.count + 1))
                times.append((now - start) / Self.millisecond)
            }
            now += Self.millisecond
        }
        #expect(times.prefix(8) == [0, 100, 200, 300, 400, 500, 600, 700])
        #expect(times.dropFirst(8) == [1700, 2700, 3700, 4700, 5700, 6700, 7700, 8700, 9700])
    }

    @Test func theWaitingThreadLeavesQuestionsToSendingThreads() {
        var watch = ClockMeasurement(.another, measuresRoundTrip: false, start: 0)
        #expect(watch.wakeTime <= 0)
        var now: Int64 = 0
        for _ in 0..<7 {
            _ = watch.ask(at: now)
            #expect(watch.wakeTime == now + 100 * Self.millisecond)
            now = watch.wakeTime
        }
        _ = watch.ask(at: now)
        #expect(watch.dueTime == now + 1000 * Self.millisecond && watch.wakeTime == now + 2000 * Self.millisecond)
    }

    /// If both ends have the same clock, only the round trip is measured: if the caller
    /// wants it, and only before frames.
    @Test func theWayAloneIsAskedForWhenSomebodyWantsToKnow() {
        var watch = ClockMeasurement(.ours, measuresRoundTrip: true, start: 0)
        #expect(watch.dueTime == .max && watch.wakeTime == .max)
        var roundTrip = watch.roundTrip(at: 1_000 * Self.millisecond)
        #expect(roundTrip == nil)
        #expect(watch.dueTime == 1_000 * Self.millisecond && watch.wakeTime == .max)
        let ping = watch.ask(at: 1_003 * Self.millisecond)
        #expect(watch.dueTime == 2_003 * Self.millisecond && watch.wakeTime == .max)
        watch.record(
            Pong(
                answering: ping, receiveTime: 1_005 * Self.millisecond, sendTime: 1_006 * Self.millisecond),
            at: 1_010 * Self.millisecond)
        roundTrip = watch.roundTrip(at: 1_010 * Self.millisecond)
        #expect(roundTrip == 6 * Self.millisecond && watch.clock == .ours)
        var receivers = ClockMeasurement(.ours, measuresRoundTrip: false, start: 0)
        roundTrip = receivers.roundTrip(at: 0)
        #expect(roundTrip == nil && receivers.dueTime == .max)
    }

    /// An answer that took `trip`, from a peer whose clock is `ahead` of ours.
    private func answer(_ watch: inout ClockMeasurement, at now: Int64, ahead: Int64, trip: Int64) {
        let ping = watch.ask(at: now)
        let theirs = now + trip / 2 + ahead
        watch.record(Pong(answering: ping, receiveTime: theirs, sendTime: theirs), at: now + trip)
    }

    @Test func aClaimedClockIsOursOnceAnAnswerAgrees() {
        var watch = ClockMeasurement(.claimed, measuresRoundTrip: false, start: 0)
        #expect(watch.estimate(at: 0) == nil && watch.dueTime <= 0 && watch.wakeTime <= 0)
        for number in 0..<8 as Range<Int64> {
            answer(&watch, at: number * 100 * Self.millisecond, ahead: 0, trip: Self.millisecond)
            let found = watch.estimate(at: 0)
            #expect(found?.offset == 0 && found?.error == 0)
        }
        // Enough was measured.
        #expect(watch.dueTime == .max && watch.wakeTime == .max)
    }

    @Test(arguments: [600_000, -600_000, 3] as [Int64])
    func aClaimThatIsNotTrueIsMeasured(ahead: Int64) throws {
        var watch = ClockMeasurement(.claimed, measuresRoundTrip: false, start: 0)
        answer(&watch, at: 0, ahead: ahead * Self.millisecond, trip: Self.millisecond)
        let found = try #require(watch.estimate(at: Self.millisecond))
        #expect(abs(found.offset + ahead * Self.millisecond) <= found.error && found.error > 0)
        // The question is asked again at once, and for ever.
        #expect(watch.dueTime == Self.millisecond && watch.wakeTime == Self.millisecond)
        for number in 1...20 as ClosedRange<Int64> {
            answer(&watch, at: number * 1000 * Self.millisecond, ahead: ahead * Self.millisecond, trip: 5)
        }
        #expect(watch.clock == .another && watch.dueTime == 21_000 * Self.millisecond)
    }

    /// A machine may be cloned in mid-stream, or before, with slow first answers.
    @Test func whatWasOursMayTurnOutToBeAnother() throws {
        var watch = ClockMeasurement(.claimed, measuresRoundTrip: true, start: 0)
        answer(&watch, at: 0, ahead: 0, trip: Self.millisecond)
        #expect(watch.clock == .ours)
        answer(&watch, at: 100 * Self.millisecond, ahead: 600_000 * Self.millisecond, trip: Self.millisecond)
        let found = try #require(watch.estimate(at: 101 * Self.millisecond))
        #expect(abs(found.offset + 600_000 * Self.millisecond) <= found.error)
    }

    @Test func aSlowAnswerLeavesOpenWhatItCannotTell() throws {
        var watch = ClockMeasurement(.claimed, measuresRoundTrip: false, start: 0)
        answer(&watch, at: 0, ahead: 0, trip: 4_000 * Self.millisecond)
        let found = try #require(watch.estimate(at: 4_000 * Self.millisecond))
        #expect(watch.clock == .claimed && found.offset == 0 && found.error >= 2_000 * Self.millisecond)
    }

    @Test func theFirstFrameIsAnAnswer() {
        let start = 1_000 * Self.millisecond
        /// The clock after a first frame, sent at `sent` and received at `arrived`, in
        /// milliseconds from the end of the handshake.
        func clock(sent: Int64?, arrived: Int64) -> ClockMeasurement.Clock {
            var watch = ClockMeasurement(.claimed, measuresRoundTrip: false, start: start)
            watch.record(
                firstFrame: sent.map { start + $0 * Self.millisecond }, arrived: start + arrived * Self.millisecond)
            return watch.clock
        }
        #expect(clock(sent: 1, arrived: 2) == .ours && clock(sent: 0, arrived: 0) == .ours)
        // The first frame may arrive at an impossible time; or it says nothing, because it
        // arrives much later or without a time.
        #expect(clock(sent: 600_000, arrived: 2) == .claimed && clock(sent: -600_000, arrived: 2) == .claimed)
        #expect(clock(sent: 3, arrived: 2) == .claimed && clock(sent: -1, arrived: 2) == .claimed)
        #expect(clock(sent: 500, arrived: 1000) == .claimed && clock(sent: nil, arrived: 2) == .claimed)
        for extreme in [Int64.min, -1, .max] {
            var watch = ClockMeasurement(.claimed, measuresRoundTrip: false, start: start)
            watch.record(firstFrame: extreme, arrived: start)
            #expect(watch.clock == .claimed)
            watch.record(firstFrame: start, arrived: extreme)
            #expect(watch.clock == .claimed)
        }
    }

    @Test func extremesOfAnAnswerMeasureNothingOrAnotherClock() {
        for time in [Int64.min, -1, 0, .max] {
            for said in [Int64.min, -1, 0, .max] {
                var watch = ClockMeasurement(.claimed, measuresRoundTrip: true, start: 0)
                let ping = watch.ask(at: 5 * Self.millisecond)
                watch.record(Pong(answering: ping, receiveTime: time, sendTime: said), at: 6 * Self.millisecond)
                #expect(watch.clock != .ours)
                _ = watch.estimate(at: .max)
            }
        }
    }

    @Test func aQuestionThatCannotBeSentIsAskedALittleLater() {
        var watch = ClockMeasurement(.another, measuresRoundTrip: false, start: 0)
        watch.postpone(at: 7)
        #expect(watch.wakeTime == 7 + 20 * Self.millisecond)
        // A thread that sends before that may ask.
        #expect(watch.dueTime <= 8)
    }

    @Test func answersToNothingMeasureNothing() {
        var watch = ClockMeasurement(.another, measuresRoundTrip: false, start: 0)
        let stray = Pong(answering: Ping(id: 1, sendTime: 0), receiveTime: 0, sendTime: 0)
        watch.record(stray, at: 10)
        #expect(watch.estimate(at: 10) == nil)
        let ping = watch.ask(at: 100)
        for id: UInt64 in [0, 2, .max] {
            watch.record(Pong(answering: Ping(id: id, sendTime: 100), receiveTime: 0, sendTime: 0), at: 200)
        }
        // An echo from the future.
        watch.record(Pong(answering: Ping(id: 1, sendTime: 201), receiveTime: 0, sendTime: 0), at: 200)
        #expect(watch.estimate(at: 200) == nil)
        watch.record(Pong(answering: ping, receiveTime: 1000, sendTime: 1010), at: 150)
        #expect(watch.estimate(at: 150).map { $0.offset } == -880)
    }
}
