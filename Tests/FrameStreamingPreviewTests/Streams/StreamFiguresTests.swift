@testable import FrameStreamingPreview
import Testing

@Suite struct StreamFiguresTests {
    private let second: Int64 = 1_000_000_000

    @Test func ratesAreOfTheLastSeconds() {
        var figures = StreamFigures()
        #expect(figures.rate(at: 5 * second) == (0, 0))
        // 20 a second for 10 s, then 40.
        for step in 0..<200 { figures.record(at: 100 * second + Int64(step) * second / 20, bytes: 10, delay: nil) }
        for step in 0..<400 { figures.record(at: 110 * second + Int64(step) * second / 40, bytes: 10, delay: nil) }
        let rate = figures.rate(at: 120 * second - 1)
        #expect(abs(rate.frames - 40) < 0.5 && abs(rate.bytes - 400) < 5)
        #expect(figures.frames == 600 && figures.bytes == 6000)
        #expect(figures.rate(at: 130 * second) == (0, 0))
        #expect(figures.delay(at: 120 * second) == nil && figures.delayCount == 0)
    }

    @Test func aRateOutOfOnePictureIsNoMillion() {
        var figures = StreamFigures()
        figures.record(at: 100 * second, bytes: 1, delay: nil)
        #expect(figures.rate(at: 100 * second + 1).frames <= 10)
    }

    @Test func percentilesAreOfTheLastSeconds() {
        var figures = StreamFigures()
        for step in 1...100 { figures.record(at: 100 * second, bytes: 1, delay: Int64(step) * 1_000_000) }
        #expect(figures.delay(at: 100 * second) == StreamFigures.Delay(p50: 50, p99: 99))
        figures.record(at: 110 * second, bytes: 1, delay: -5)
        // A clock that is a little ahead gives no negative delay.
        #expect(figures.delay(at: 110 * second) == StreamFigures.Delay(p50: 0, p99: 0))
        #expect(figures.delayCount == 101 && figures.delaySum == 5_050_000_000)
        figures.record(at: 111 * second, bytes: 1, delay: .max)
        #expect(figures.delayCount == 101)
    }

    @Test func theHistoryIsAMinuteWithItsGaps() {
        var figures = StreamFigures()
        #expect(figures.history(at: 0).isEmpty)
        for number in 100..<200 where number != 150 {
            figures.record(at: Int64(number) * second + 1, bytes: 1, delay: Int64(number) * 1_000_000)
        }
        let history = figures.history(at: 200 * second + second / 2)
        #expect(history.count == 60)
        #expect(history.first?.delay?.p50 == 140 && history.last?.delay?.p50 == 199)
        #expect(history[10].delay == nil && history[9].delay?.p99 == 149)
        #expect(history.first?.secondsAgo == 59.5 && history.last?.secondsAgo == 0.5)
        // Long afterwards nothing is left.
        #expect(figures.history(at: 1000 * second).allSatisfy { $0.delay == nil })
        var young = StreamFigures()
        young.record(at: 100 * second, bytes: 1, delay: 1)
        #expect(young.history(at: 100 * second + 5).isEmpty && young.history(at: 103 * second).count == 3)
    }

    @Test func aFastStreamCostsNoMore() {
        var figures = StreamFigures()
        for step in 0..<10_000 {
            figures.record(at: 100 * second + Int64(step), bytes: 1, delay: step < 9000 ? 0 : 7_000_000)
        }
        // The newest of the second count.
        #expect(figures.delay(at: 100 * second)?.p50 == 7)
    }
}
