import ExampleSupport
import FrameStreamingCore
import Testing

@Suite struct StartLimitTests {
    private let start = MonotonicTime(nanoseconds: 5_000_000_000)

    /// Returns how many of five attempts may begin at `time`.
    private func begin(_ limit: inout StartLimit, at time: MonotonicTime) -> Int {
        var count = 0
        for _ in 0..<5 where limit.take(at: time) { count += 1 }
        return count
    }

    @Test func aBurstAndThenOneAfterEachInterval() {
        var limit = StartLimit(burst: 3, interval: .seconds(10))
        let seconds: [(Double, expected: Int)] = [(0, 3), (9.999, 0), (10, 1), (10, 0), (40, 3), (86_400, 3)]
        for (second, expected) in seconds {
            let count = begin(&limit, at: start.advanced(by: .seconds(second)))
            #expect(count == expected, "after \(second) s")
        }
    }

    @Test func whatWasGivenBackMayBeTakenAgain() {
        var limit = StartLimit(burst: 2, interval: .seconds(10))
        let first = begin(&limit, at: start)
        limit.giveBack()
        let second = begin(&limit, at: start)
        #expect(first == 2 && second == 1)
    }
}
