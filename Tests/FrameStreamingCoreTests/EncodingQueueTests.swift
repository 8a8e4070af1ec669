import Testing

@testable import FrameStreamingCore

/// Which thread gets which job, and when another one is needed.
@Suite struct EncodingQueueTests {
    @Test func aThreadThatTookAJobIsNotCountedOnForTheNext() {
        var queue = EncodingQueue<Int>(limit: 2)
        #expect(queue.add(1) == .needsThread)
        queue.rest()
        guard case .job(1) = queue.takeTurn() else { Issue.record("no job"); return }
        #expect(queue.add(2) == .needsThread)
        #expect(queue.add(3) == .isQueued)
        #expect(queue.running == 2)
    }

    @Test func aThreadThatRestsIsEnough() {
        var queue = EncodingQueue<Int>(limit: 2)
        #expect(queue.add(1) == .needsThread)
        queue.rest()
        _ = queue.takeTurn()
        queue.rest()
        #expect(queue.takeTurn() == nil)
        #expect(queue.add(2) == .isQueued)
        // It has not taken that one yet: the next needs another thread.
        #expect(queue.add(3) == .needsThread)
    }

    @Test func jobsAreTakenInTheirOrder() {
        var queue = EncodingQueue<Int>(limit: 1)
        for job in 1...3 { _ = queue.add(job) }
        var taken: [Int] = []
        for _ in 1...3 {
            queue.rest()
            if case .job(let job) = queue.takeTurn() { taken.append(job) }
        }
        #expect(taken == [1, 2, 3] && queue.running == 1)
    }

    @Test func whatNoThreadGetsToIsHandedBack() {
        var queue = EncodingQueue<Int>(limit: 2)
        _ = queue.add(1)
        #expect(queue.threadIsMissing() == [1])
        #expect(queue.add(2) == .needsThread)
        queue.rest()
        _ = queue.takeTurn()
        #expect(queue.add(3) == .needsThread)
        // The other thread gets to it.
        #expect(queue.threadIsMissing().isEmpty && queue.jobs == [3])
    }

    @Test func aStopEndsAllAndHandsBackWhatNoneHasBegun() {
        var queue = EncodingQueue<Int>(limit: 1)
        for job in 1...3 { _ = queue.add(job) }
        queue.rest()
        _ = queue.takeTurn()
        #expect(queue.stop() == [2, 3])
        #expect(queue.add(4) == .isRefused)
        queue.rest()
        guard case .end = queue.takeTurn() else { Issue.record("it goes on"); return }
        #expect(queue.running == 0 && queue.idle == 0)
    }
}
