import FrameStreamingSystem
import TestThreads
import Testing

/// Waits of the tests themselves: each has a limit, and says what it waited for.
@Suite(.ownThread(atOnce: 4)) struct WaitingTests {
    /// What the failures said.
    private func failures(_ body: () throws -> Void) -> [String] {
        let said = Monitor<[String]>([])
        withKnownIssue {
            #expect(throws: ExpectationFailedError.self) { try body() }
        } matching: { issue in
            said.withLock { $0 += issue.comments.map(\.rawValue) }
            return true
        }
        return said.withLock { $0 }
    }

    @Test func aCallThatDoesNotEndIsNamed() throws {
        let mayEnd = Monitor(false)
        let call = try Background("the sender's run") { mayEnd.wait(until: waitLimit()) { $0 ? 7 : nil } }
        let said = failures { try call.value(atMost: 0) }
        #expect(said.count == 1 && said[0].contains("the sender's run, begun at WaitingTests.swift:"), "\(said)")
        mayEnd.update { $0 = true }
        #expect(try call.value() == 7)
    }

    @Test func aConditionThatDoesNotComeIsNamed() throws {
        let said = failures { try waitUntil("three receivers", atMost: 0) { false } }
        #expect(said.count == 1 && said[0].contains("in vain for this: three receivers"), "\(said)")
        var looks = 0
        try waitUntil {
            looks += 1
            return looks == 3
        }
        #expect(looks == 3)
    }
}
