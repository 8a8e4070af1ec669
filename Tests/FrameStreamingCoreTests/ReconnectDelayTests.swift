import FrameStreamingCore
import Testing

@Suite struct ReconnectDelayTests {
    /// Gives the same number for ever, so that a random time is small or the largest. (If it is 0,
    /// the standard library draws again for ever.)
    private struct Constant: RandomNumberGenerator {
        var value: UInt64
        mutating func next() -> UInt64 { value }
    }

    @Test func theLimitDoublesUpToEightSeconds() {
        var delay = ReconnectDelay()
        var generator = Constant(value: .max)
        let waits = (0..<8).map { _ in delay.next(using: &generator) }
        #expect(
            waits == [
                .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(8),
                .seconds(8),
            ])
    }

    @Test func theWaitIsAnythingBelowTheLimit() {
        var delay = ReconnectDelay()
        var generator = Constant(value: 1 << 32)
        #expect((0..<8).allSatisfy { _ in delay.next(using: &generator) < .milliseconds(1) })
    }

    @Test func aHealthyConnectionBeginsAnew() {
        var delay = ReconnectDelay()
        var generator = Constant(value: .max)
        for _ in 0..<20 { _ = delay.next(using: &generator) }
        delay.reset()
        #expect(delay.next(using: &generator) == ReconnectDelay.shortest)
    }
}
