import Testing

@testable import FrameStreamingSystem

@Suite struct MonitorTests {
    @Test func countsFromManyThreads() throws {
        let count = Monitor(0)
        let threads = try (0..<8).map { index in
            try SystemThread(name: "adder \(index)") { for _ in 0..<10_000 { count.withLock { $0 += 1 } } }
        }
        for thread in threads { thread.join() }
        #expect(count.withLock { $0 } == 80_000)
    }

    @Test func aWaitEndsWithTheUpdateThatItWaitsFor() throws {
        let value = Monitor(0)
        let seen = Monitor<Int?>(nil)
        let thread = try SystemThread(name: "waiter") {
            let found = value.wait(until: nil) { $0 >= 3 ? $0 : nil }
            seen.update { $0 = found }
        }
        for _ in 0..<3 { value.update { $0 += 1 } }
        thread.join()
        #expect(seen.withLock { $0 } == 3)
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
