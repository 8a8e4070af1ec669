import FrameStreamingCore
import Testing

@Suite struct BackOffTests {
    @Test func theWaitsGrowToTheLongest() {
        var backOff = BackOff(upTo: .seconds(5))
        let waits = (0..<8).map { _ in backOff.next() }
        #expect(waits == [250, 500, 1000, 2000, 4000, 5000, 5000, 5000].map { .milliseconds($0) })
        backOff.reset()
        #expect(backOff.next() == .milliseconds(250))
    }

    @Test func manyFailuresOverflowNothing() {
        var backOff = BackOff(upTo: .seconds(3600))
        for _ in 0..<1000 { #expect(backOff.next() <= .seconds(3600)) }
        #expect(backOff.next() == .seconds(3600))
    }
}
