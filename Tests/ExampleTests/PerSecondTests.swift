import ExampleSupport
import FrameStreamingSystem
import TestThreads
import Testing

@Suite(.ownThread(atOnce: 4)) struct PerSecondTests {
    @Test func noCallOutlivesTheStop() throws {
        let isInside = Monitor(false)
        let entered = Monitor(false)
        let release = Monitor(false)
        let ticker = PerSecond { seconds in
            isInside.update { $0 = true }
            entered.update { $0 = true }
            let _: Bool? = release.wait(until: monotonicNow() + 60_000_000_000) { $0 ? true : nil }
            isInside.update { $0 = false }
        }
        // It is stopped in the middle of a call, and returns after that call.
        let came: Bool? = entered.wait(until: monotonicNow() + 60_000_000_000) { $0 ? true : nil }
        #expect(came == true)
        _ = try SystemThread(name: "release") { release.update { $0 = true } }
        ticker.stop()
        #expect(!isInside.withLock { $0 })
    }
}
