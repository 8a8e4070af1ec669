import FrameStreamingCore
import Testing

@testable import FrameStreamingTCP

@Suite struct ClockWatchTests {
    static let millisecond: Int64 = 1_000_000

    @Test func eightInTheFirstSecondThenOneASecond() {
        var watch = ClockWatch(for: .clock)
        var now: Int64 = 5_000_000_000
        let start = now
        var times: [Int64] = []
        while now < start + 10_000 * Self.millisecond {
            if watch.isDue(at: now) {
                #expect(watch.ask(at: now).id == UInt64(times.count + 1))
                times.append((now - start) / Self.millisecond)
            }
            now += Self.millisecond
        }
        #expect(times.prefix(8) == [0, 100, 200, 300, 400, 500, 600, 700])
        #expect(times.dropFirst(8) == [1700, 2700, 3700, 4700, 5700, 6700, 7700, 8700, 9700])
    }

    @Test func theThreadThatWaitsLeavesItToThoseWhoSendLater() {
        var watch = ClockWatch(for: .clock)
        #expect(watch.wakeTime <= 0)
        var now: Int64 = 0
        for _ in 0..<7 {
            _ = watch.ask(at: now)
            #expect(watch.wakeTime == now + 100 * Self.millisecond)
            now = watch.wakeTime
        }
        _ = watch.ask(at: now)
        #expect(watch.isDue(at: now + 1000 * Self.millisecond) && watch.wakeTime == now + 2000 * Self.millisecond)
    }

    /// On one machine there is no clock to be asked for: the way is measured for who wants to know, before frames, and where there are none
    /// nobody does.
    @Test func theWayAloneIsAskedForWhenSomebodyWantsToKnow() {
        var watch = ClockWatch(for: .roundTrip)
        #expect(!watch.isDue(at: 1_000 * Self.millisecond))
        var roundTrip = watch.roundTrip(at: 1_000 * Self.millisecond)
        #expect(roundTrip == nil)
        #expect(watch.isDue(at: 1_000 * Self.millisecond) && watch.wakeTime == .max)
        let ping = watch.ask(at: 1_003 * Self.millisecond)
        #expect(!watch.isDue(at: 1_102 * Self.millisecond) && watch.wakeTime == .max)
        #expect(watch.isDue(at: 1_103 * Self.millisecond))
        watch.record(
            Pong(answering: ping, receiveTime: 5, sendTime: 5 + Self.millisecond), at: 1_010 * Self.millisecond)
        roundTrip = watch.roundTrip(at: 1_010 * Self.millisecond)
        #expect(roundTrip == 6 * Self.millisecond)
        for _ in 0..<7 { _ = watch.ask(at: 1_103 * Self.millisecond) }
        #expect(!watch.isDue(at: 2_102 * Self.millisecond) && watch.isDue(at: 2_103 * Self.millisecond))
        #expect(watch.wakeTime == .max)
    }

    @Test func whatCannotBeAskedIsAskedALittleLater() {
        var watch = ClockWatch(for: .clock)
        watch.postpone(at: 7)
        #expect(watch.wakeTime == 7 + 20 * Self.millisecond)
        // Who sends before that may ask.
        #expect(watch.isDue(at: 8))
    }

    @Test func answersToNothingMeasureNothing() {
        var watch = ClockWatch(for: .clock)
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
