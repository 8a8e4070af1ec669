import ExampleSupport
import FrameStreamingCore
import Testing

@Suite struct StartLimitTests {
    private let start = MonotonicTime(nanoseconds: 5_000_000_000)

    @Test func aBurstAndThenOneAfterEachInterval() {
        var limit = StartLimit(burst: 3, interval: .seconds(10))
        #expect((0..<5).map { _ in limit.take(at: start) } == [true, true, true, false, false])
        #expect(!limit.take(at: start.advanced(by: .milliseconds(9999))))
        #expect(limit.take(at: start.advanced(by: .seconds(10))))
        #expect(!limit.take(at: start.advanced(by: .seconds(10))))
        // All of the burst, and no more, after however long.
        let later = start.advanced(by: .seconds(86_400))
        #expect((0..<5).map { _ in limit.take(at: later) } == [true, true, true, false, false])
    }

    @Test func whatWasGivenBackMayBeTakenAgain() {
        var limit = StartLimit(burst: 1, interval: .seconds(10))
        #expect(limit.take(at: start))
        limit.giveBack()
        #expect(limit.take(at: start) && !limit.take(at: start))
    }
}
