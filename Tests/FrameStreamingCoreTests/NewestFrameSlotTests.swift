import FrameStreamingCore
import FrameStreamingTesting
import TestThreads
import Testing

@Suite(.ownThread(atOnce: 4)) struct NewestFrameSlotTests {
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
        let taking = try Background("a take of a frame") { try slot.take()?.sequence }
        slot.close()
        #expect(try taking.value() == nil)

        let full = NewestFrameSlot()
        full.put(try Self.frame(1))
        full.close()
        full.put(try Self.frame(2))
        #expect(try full.take()?.sequence == 1)
        #expect(try full.take() == nil)
    }
}
