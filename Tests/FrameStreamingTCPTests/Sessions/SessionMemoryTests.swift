import FrameStreamingCore
import FrameStreamingSystem
import TestThreads
import Testing

@testable import FrameStreamingTCP

@Suite(.ownThread(atOnce: 4)) struct SessionMemoryTests {
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
        // An acknowledgement counts even if the connection was gone when it was sent.
        first.consumed(3)
        let second = try use(memory, 7)
        #expect(second.base == 3)
        // Here it is too late: the receiver has reported 3 to the sender.
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

    @Test func otherSessionsDoNotWait() throws {
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

    @Test func aThousandThatBrokeAreRememberedAndNoneInUseIsForgotten() throws {
        let memory = memory()
        let kept = try use(memory, 1)
        let others = UInt64(SessionMemory.fewest)
        for session in 2...others + 10 { try use(memory, session).consumed(session) }
        kept.consumed(9)
        kept.end()
        #expect(try use(memory, 1).base == 9)
        // Ten beyond the bound: the oldest are new again.
        #expect(try use(memory, 12).base == 12 && use(memory, others + 10).base == others + 10)
        #expect(try use(memory, 2).base == 0)
    }

    @Test func asManyAreRememberedAsConnectionsAreAllowed() throws {
        let memory = memory()
        memory.remember(atLeast: 3000)
        memory.remember(atLeast: 10)
        for session in 1...UInt64(3000) { try use(memory, session).consumed(7) }
        #expect(try use(memory, 1).base == 7 && use(memory, 3000).base == 7)
    }

    @Test func sessionsWithoutConsumedFramesReplaceNoOther() throws {
        let memory = memory()
        try use(memory, 1).consumed(5)
        for session in 2...UInt64(5000) { _ = try use(memory, session) }
        #expect(try use(memory, 1).base == 5)
    }

    @Test func sessionsThatEndedWithAGoodbyeGoBeforeThoseThatBroke() throws {
        let memory = memory()
        try use(memory, 1).consumed(5)
        for session in 2...UInt64(5000) {
            let use = try use(memory, session)
            use.consumed(3)
            use.end(goodbye: true)
        }
        #expect(try use(memory, 1).base == 5)
        // They are remembered if there is room.
        #expect(try use(memory, 5000).base == 3)
    }

    @Test func whatIsConsumedAfterTheEndIsWorthAsMuch() throws {
        let memory = memory()
        let late = try use(memory, 1)
        late.end()
        late.consumed(5)
        for session in 2...UInt64(2000) { _ = try use(memory, session) }
        #expect(try use(memory, 1).base == 5)
    }

    @Test func aSessionThatEndedAndCameBackIsAsGoodAsAnyOther() throws {
        let memory = memory()
        let first = try use(memory, 1)
        first.consumed(5)
        first.end(goodbye: true)
        let second = try use(memory, 1)
        second.consumed(1)
        second.end()
        for session in 2...UInt64(5000) {
            let use = try use(memory, session)
            use.consumed(3)
            use.end(goodbye: true)
        }
        #expect(try use(memory, 1).base == 6)
    }

    /// One session more than fits: the one that ended with a goodbye is
    /// forgotten, or else the oldest that broke.
    @Test(arguments: [true, false])
    func aConnectionTellsHowItEnded(goodbye: Bool) throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary)
        let sessions = try #require(listener.handshakeDriver.sessions)
        let serving = try Background {
            try listener.serve(onError: { _ in }) { transport in
                try consume(transport, into: Monitor<[UInt64]>([]))
            }
            return true
        }
        func breakSessions(_ range: ClosedRange<UInt64>) throws {
            for session in range { try #require(try sessions.claim(session, until: soon())).consumed(1) }
        }
        let half = UInt64(SessionMemory.fewest / 2)
        try breakSessions(2...1 + half)
        var options = TCPSenderOptions()
        options.session = 1
        let sender = try TCPTransport.connect(
            to: "127.0.0.1:\(listener.port)", role: .sender(options), until: soon())
        try sender.send(.frame(makeFrame(1), FrameInfo(sequence: 1)), until: soon())
        #expect(try sender.receiveAcknowledgement().sequence == 1)
        if goodbye { try sender.finish("done", until: soon()) } else { sender.close() }
        try waitUntil { sessions.isIdle(1) }
        try breakSessions(2 + half...1 + 2 * half)
        #expect(try sessions.claim(1, until: soon())?.base == (goodbye ? 0 : 1))
        #expect(try sessions.claim(2, until: soon())?.base == (goodbye ? 1 : 0))
        #expect(try sessions.claim(3, until: soon())?.base == 1)
        listener.close()
        #expect(try serving.value())
    }

    @Test func numbersBeyondAllBoundsAreTheLast() throws {
        let memory = memory { _ in .max }
        let first = try use(memory, 7)
        first.consumed(1)
        first.end()
        #expect(try use(memory, 7).base == .max)
    }
}
