import FrameStreamingCore
import FrameStreamingSystem
import Testing

@testable import FrameStreamingTCP

@Suite struct SessionMemoryTests {
    private func memory(last: UInt64 = 0, before: @escaping @Sendable (UInt64) -> UInt64 = { _ in 0 }) -> SessionMemory
    {
        SessionMemory(last: last, before: before)
    }

    private func use(_ memory: SessionMemory, _ session: UInt64) throws -> SessionUse {
        try #require(try memory.claim(session, until: soon()))
    }

    @Test func noSessionIsNone() throws { #expect(try memory().claim(0, until: .now) == nil) }

    @Test func whatWasConsumedAddsUpOverConnections() throws {
        let memory = memory()
        let first = try use(memory, 7)
        #expect(first.base == 0 && memory.last == 7)
        first.consumed(1)
        first.consumed(2)
        first.end()
        // An acknowledgement that was tried when the connection was gone already counts.
        first.consumed(3)
        let second = try use(memory, 7)
        #expect(second.base == 3)
        // Here it is too late: the sender was told 3.
        first.consumed(4)
        second.consumed(1)
        second.end()
        #expect(try use(memory, 7).base == 4)
        #expect(try use(memory, 8).base == 0 && memory.last == 8)
    }

    @Test func whatTheOwnerKnowsIsAskedForOnce() throws {
        let asked = Monitor<[UInt64]>([])
        let memory = memory(last: 9) { session in
            asked.update { $0.append(session) }
            return session * 10
        }
        #expect(memory.last == 9)
        let first = try use(memory, 9)
        #expect(first.base == 90)
        first.consumed(5)
        first.end()
        #expect(try use(memory, 9).base == 95)
        #expect(asked.withLock { $0 } == [9])
    }

    @Test func aSessionThatReturnsSeversAndWaits() throws {
        let memory = memory()
        let severed = Monitor(false)
        let first = try use(memory, 7)
        first.onReturn { severed.update { $0 = true } }
        #expect(code { _ = try memory.claim(7, until: .after(.milliseconds(10))) } == .busy)
        #expect(severed.withLock { $0 })
        let claim = try Background { try memory.claim(7, until: soon())?.base }
        first.consumed(1)
        #expect(!claim.isDone)
        first.consumed(2)
        first.end()
        #expect(try claim.value() == 2)
    }

    @Test func aConnectionThatIsOvertakenInItsHandshakeIsSeveredLater() throws {
        let memory = memory()
        let first = try use(memory, 7)
        let claim = try Background { try memory.claim(7, until: soon())?.base }
        memory.waitForClaims(2)
        let severed = Monitor(false)
        first.onReturn { severed.update { $0 = true } }
        #expect(severed.withLock { $0 })
        first.end()
        #expect(try claim.value() == 0)
    }

    @Test func theLastToReturnCounts() throws {
        let memory = memory()
        let first = try use(memory, 7)
        let second = try Background { try memory.claim(7, until: soon())?.base }
        memory.waitForClaims(2)
        let third = try Background { try memory.claim(7, until: soon())?.base }
        #expect(second.error()?.code == .busy)
        first.consumed(5)
        first.end()
        #expect(try third.value() == 5)
    }

    @Test func otherSessionsWaitForNobody() throws {
        let memory = memory()
        let first = try use(memory, 7)
        #expect(try use(memory, 8).base == 0)
        first.end()
    }

    @Test func lettingGoEndsIt() throws {
        let memory = memory()
        try use(memory, 7).consumed(4)
        #expect(try use(memory, 7).base == 4)
    }

    @Test func closingEndsTheWait() throws {
        let memory = memory()
        let first = try use(memory, 7)
        let claim = try Background { try memory.claim(7, until: .never)?.base }
        memory.close()
        #expect(claim.error()?.code == .closed)
        first.end()
    }

    @Test func theLastSixtyFourAreRemembered() throws {
        let memory = memory()
        let kept = try use(memory, 1)
        for session in 2...UInt64(200) { try use(memory, session).consumed(session) }
        // The one that is in use is not forgotten, however long ago it began.
        kept.consumed(9)
        kept.end()
        #expect(try use(memory, 1).base == 9)
        #expect(try use(memory, 200).base == 200 && use(memory, 150).base == 150)
        #expect(try use(memory, 100).base == 0)
    }

    @Test func numbersBeyondAllBoundsAreTheLast() throws {
        let memory = memory { _ in .max }
        let first = try use(memory, 7)
        first.consumed(1)
        first.end()
        #expect(try use(memory, 7).base == .max)
    }
}
