import Testing

@testable import FrameStreamingCore

/// The way of a sender, and what the user can say about its end.
@Suite struct SenderPhaseTests {
    @Test func aSenderRunsOnce() {
        var phase = SenderPhase.open
        let first = phase.begin()
        #expect(first && phase == .running)
        for begun in [SenderPhase.running, .ending] {
            phase = begun
            let again = phase.begin()
            #expect(!again && phase == begun)
        }
    }

    @Test func theFirstStopCounts() {
        var order = SenderOrder.proceed
        #expect(!order.ends && order.stopped == nil)
        let now = MonotonicTime.now
        order.stop(at: now, .stopped("first"))
        order.stop(at: now.advanced(by: .seconds(1)), .failed("second"))
        #expect(order.ends && !order.isCancelled)
        #expect(order.stopped?.time == now && order.stopped?.goodbye == .stopped("first"))
    }

    @Test func aCancelEndsAStopAndNoStopEndsACancel() {
        var order = SenderOrder.proceed
        order.stop(at: .now, .stopped("stopped"))
        order = .cancel
        #expect(order.ends && order.isCancelled && order.stopped == nil)
        order.stop(at: .now, .stopped("too late"))
        #expect(order.isCancelled)
    }
}
