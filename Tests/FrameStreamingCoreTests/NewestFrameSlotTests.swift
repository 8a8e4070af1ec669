import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import Testing

@Suite struct NewestFrameSlotTests {
    static func frame(_ number: UInt64) throws -> Frame {
        try .filled(FrameFormat(width: 1, height: 1, pixelFormat: .gray8), sequence: number) { _ in 0 }
    }

    @Test func theNewestReplacesAFrameThatWasNotTaken() throws {
        let slot = NewestFrameSlot()
        #expect(!slot.put(try Self.frame(1)))
        #expect(slot.put(try Self.frame(2)))
        #expect(try slot.take()?.sequence == 2)
        #expect(slot.replaced == 1)
        #expect(!slot.put(try Self.frame(3)))
    }

    @Test func anEmptySlotTimesOut() {
        #expect(throws: FrameStreamingError(.timedOut, "timed out waiting for a frame")) {
            try NewestFrameSlot().take(until: .now)
        }
    }

    @Test func closingEndsAWaitAndKeepsAFrameThatIsThere() throws {
        let slot = NewestFrameSlot()
        let ended = Monitor(false)
        let thread = try SystemThread(name: "taker") {
            if let taken = try? slot.take() { Issue.record("took \(taken.sequence)") }
            ended.update { $0 = true }
        }
        slot.close()
        thread.join()
        #expect(ended.withLock { $0 })

        let full = NewestFrameSlot()
        full.put(try Self.frame(1))
        full.close()
        full.put(try Self.frame(2))
        #expect(try full.take()?.sequence == 1)
        #expect(try full.take() == nil)
    }
}
