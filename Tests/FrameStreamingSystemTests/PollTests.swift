import Glibc
import TestThreads
import Testing

@testable import FrameStreamingSystem

@Suite(.ownThread(atOnce: 4)) struct PollTests {
    /// A pipe whose ends close with the test.
    static func pipe() throws -> (read: Descriptor, write: Descriptor) {
        var ends: [CInt] = [0, 0]
        let status = unsafe Glibc.pipe(&ends)
        try #require(status == 0)
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    @Test func bytesAreReported() throws {
        let pipe = try Self.pipe()
        let bytes: [UInt8] = [1]
        try unsafe pipe.write.writeAll(bytes.span.bytes)
        let found = try wait(for: PollEvents.input, on: pipe.read.raw, until: waitLimit(), wakeUp: nil)
        #expect(found == .ready(PollEvents.input))
    }

    @Test func timesOutWithoutBytes() throws {
        let pipe = try Self.pipe()
        let deadline = monotonicNow() + 2_000_000
        #expect(try wait(for: PollEvents.input, on: pipe.read.raw, until: deadline, wakeUp: nil) == .timedOut)
        #expect(monotonicNow() >= deadline)
    }

    @Test func aWakeUpEndsAWaitWithoutAnEnd() throws {
        let pipe = try Self.pipe()
        let wakeUp = try WakeUp()
        let waiting = try Background("a wait without a deadline") {
            try wait(for: PollEvents.input, on: pipe.read.raw, until: nil, wakeUp: wakeUp)
        }
        wakeUp.signal()
        #expect(try waiting.value() == .woken)
    }

    @Test func aWakeUpStaysAndWinsOverReadiness() throws {
        let pipe = try Self.pipe()
        let wakeUp = try WakeUp()
        wakeUp.signal()
        wakeUp.signal()
        let bytes: [UInt8] = [1]
        try unsafe pipe.write.writeAll(bytes.span.bytes)
        for _ in 0..<2 {
            let found = try wait(for: PollEvents.input, on: pipe.read.raw, until: waitLimit(), wakeUp: wakeUp)
            #expect(found == .woken)
        }
    }

    @Test func aHangUpIsReported() throws {
        var pipe: (read: Descriptor, write: Descriptor)? = try Self.pipe()
        let read = try #require(pipe?.read)
        pipe = nil
        let found = try wait(for: PollEvents.input, on: read.raw, until: waitLimit(), wakeUp: nil)
        guard case .ready(let events) = found else {
            Issue.record("\(found)")
            return
        }
        #expect(events & PollEvents.hangUp != 0)
    }
}
