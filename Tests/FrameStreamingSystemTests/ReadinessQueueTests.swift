import TestThreads
import Testing

@testable import FrameStreamingSystem

@Suite(.ownThread(atOnce: 4)) struct ReadinessQueueTests {
    private func ready(
        _ queue: ReadinessQueue, room: Int = ReadinessQueue.mostAtOnce, until deadline: Int64? = 0
    ) throws -> Set<UInt64> {
        var tags = [UInt64](repeating: 99, count: room)
        let count = try queue.wait(&tags, until: deadline)
        return Set(tags[..<count])
    }

    @Test func unreadInputIsReportedAgain() throws {
        let queue = try ReadinessQueue()
        let wakeUps = try (0..<3).map { _ in try WakeUp() }
        for (tag, wakeUp) in wakeUps.enumerated() { try queue.add(wakeUp.descriptor, tag: UInt64(tag)) }
        #expect(try ready(queue) == [])
        wakeUps[0].signal()
        wakeUps[2].signal()
        for _ in 0..<2 { #expect(try ready(queue, until: waitLimit()) == [0, 2]) }
        wakeUps[0].clear()
        #expect(try ready(queue) == [2])
        #expect(try ready(queue, room: 1) == [2])
    }

    @Test func timesOut() throws {
        let queue = try ReadinessQueue()
        let deadline = monotonicNow() + 2_000_000
        #expect(try ready(queue, until: deadline) == [])
        #expect(monotonicNow() >= deadline)
    }

    @Test func theNextWaitsReturnTheRest() throws {
        let queue = try ReadinessQueue()
        let wakeUps = try (0..<150).map { _ in try WakeUp() }
        for (tag, wakeUp) in wakeUps.enumerated() {
            try queue.add(wakeUp.descriptor, tag: UInt64(tag))
            wakeUp.signal()
        }
        var seen: Set<UInt64> = []
        for _ in 0..<3 {
            let tags = try ready(queue, room: 500)
            #expect(!tags.isEmpty && tags.count <= ReadinessQueue.mostAtOnce)
            for tag in tags { wakeUps[Int(tag)].clear() }
            seen.formUnion(tags)
        }
        #expect(seen.count == 150)
    }

    @Test func anAddedDescriptorEndsAWait() throws {
        let queue = try ReadinessQueue()
        let waiting = try Background("a wait without a deadline") { try ready(queue, until: nil) }
        let wakeUp = try WakeUp()
        wakeUp.signal()
        try queue.add(wakeUp.descriptor, tag: 7)
        #expect(try waiting.value() == [7])
    }

    @Test func aRemovedDescriptorIsNotReported() throws {
        let queue = try ReadinessQueue()
        let wakeUp = try WakeUp()
        wakeUp.signal()
        try queue.add(wakeUp.descriptor, tag: 1)
        #expect(throws: SystemError("epoll_ctl", code: Errno.exists)) { try queue.add(wakeUp.descriptor, tag: 2) }
        try queue.remove(wakeUp.descriptor)
        #expect(try ready(queue) == [])
        #expect(throws: SystemError("epoll_ctl", code: Errno.noEntry)) { try queue.remove(wakeUp.descriptor) }
        try queue.add(wakeUp.descriptor, tag: 2)
        #expect(try ready(queue) == [2])
    }

    @Test func roomToWriteIsReportedIfWanted() throws {
        let queue = try ReadinessQueue()
        let pipe = try PollTests.pipe()
        try queue.add(pipe.write, tag: 3)
        #expect(try ready(queue) == [])
        try queue.change(pipe.write, tag: 4, wantsOutput: true)
        #expect(try ready(queue, until: waitLimit()) == [4])
        try queue.change(pipe.write, tag: 4, wantsOutput: false)
        #expect(try ready(queue) == [])
    }

    @Test func aHangUpIsNamed() throws {
        let queue = try ReadinessQueue()
        var pipe: (read: Descriptor, write: Descriptor)? = try PollTests.pipe()
        let read = try #require(pipe?.read)
        try queue.add(read, tag: 5)
        pipe = nil
        #expect(try ready(queue, until: waitLimit()) == [5])
    }
}
