import TestThreads
import Testing

@testable import FrameStreamingSystem

@Suite(.ownThread(atOnce: 4)) struct MonitorTests {
    @Test func countsFromManyThreads() throws {
        let count = Monitor(0)
        let threads = try (0..<8).map { index in
            try Background("adder \(index)") { for _ in 0..<10_000 { count.withLock { $0 += 1 } } }
        }
        for thread in threads { try thread.value() }
        #expect(count.withLock { $0 } == 80_000)
    }

    @Test func aWaitEndsWithTheUpdateThatItWaitsFor() throws {
        let value = Monitor(0)
        let waiting = try Background("a wait without a deadline") { value.wait(until: nil) { $0 >= 3 ? $0 : nil } }
        for _ in 0..<3 { value.update { $0 += 1 } }
        #expect(try waiting.value() == 3)
    }

    @Test func aWaitEndsAtItsDeadline() {
        let value = Monitor(0)
        let deadline = monotonicNow() + 2_000_000
        #expect(value.wait(until: deadline) { $0 > 0 ? $0 : nil } == nil)
        #expect(monotonicNow() >= deadline)
    }

    @Test func aDeadlineInThePastStillLooksOnce() {
        #expect(Monitor(7).wait(until: 0) { $0 } == 7)
    }
}
