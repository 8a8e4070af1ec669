import FrameStreamingCore
import Testing

@Suite struct DeadlineTests {
    @Test func neverIsLaterThanAnything() {
        let soon = Deadline.at(MonotonicTime(nanoseconds: 5))
        #expect(Deadline.never.earlier(soon) == soon)
        #expect(soon.earlier(.never) == soon)
        #expect(!Deadline.never.hasPassed)
        #expect(soon.hasPassed)
    }

    @Test func sumsBeyondTheClockStayAtItsEnds() {
        let time = MonotonicTime(nanoseconds: 10)
        #expect(time.advanced(by: .seconds(Int64.max)).nanoseconds == .max)
        #expect(time.advanced(by: .seconds(Int64.min)).nanoseconds < 0)
        #expect(time.advanced(by: .milliseconds(2)).nanoseconds == 2_000_010)
        #expect(MonotonicTime(nanoseconds: 30).since(time) == .nanoseconds(20))
    }
}
