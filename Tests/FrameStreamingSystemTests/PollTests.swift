import Glibc
import Testing

@testable import FrameStreamingSystem

@Suite struct PollTests {
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
        #expect(try wait(for: PollEvents.input, on: pipe.read.raw, until: nil, wakeUp: nil) == .ready(PollEvents.input))
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
        let result = Monitor<Readiness?>(nil)
        let thread = try SystemThread(name: "waiter") {
            let woken = try? wait(for: PollEvents.input, on: pipe.read.raw, until: nil, wakeUp: wakeUp)
            result.update { $0 = woken }
        }
        wakeUp.signal()
        thread.join()
        #expect(result.withLock { $0 } == .woken)
    }

    @Test func aWakeUpStaysAndWinsOverReadiness() throws {
        let pipe = try Self.pipe()
        let wakeUp = try WakeUp()
        wakeUp.signal()
        wakeUp.signal()
        let bytes: [UInt8] = [1]
        try unsafe pipe.write.writeAll(bytes.span.bytes)
        for _ in 0..<2 {
            #expect(try wait(for: PollEvents.input, on: pipe.read.raw, until: nil, wakeUp: wakeUp) == .woken)
        }
    }

    @Test func aHangUpIsReported() throws {
        var pipe: (read: Descriptor, write: Descriptor)? = try Self.pipe()
        let read = try #require(pipe?.read)
        pipe = nil
        guard case .ready(let events) = try wait(for: PollEvents.input, on: read.raw, until: nil, wakeUp: nil) else {
            Issue.record("not ready")
            return
        }
        #expect(events & PollEvents.hangUp != 0)
    }
}
