import FrameStreamingCore
import TestThreads
import Testing

@testable import FrameStreamingTCP

@Suite struct IssuedSessionsTests {
    @Test func onlyWhatWasGivenOutHereIsKnown() {
        let issued = IssuedSessions()
        let session = issued.session(claimed: 0)
        #expect(session != 0 && issued.session(claimed: session) == session)
        #expect(issued.session(claimed: session &+ 1) != session &+ 1)
    }

    @Test func strangersDoNotReplaceAcknowledgedOrConnectedSessions() {
        let issued = IssuedSessions()
        let gone = issued.session(claimed: 0)
        var hold: IssuedSession? = issued.hold(gone)
        hold?.noteAcknowledgement()
        hold = nil
        let connected = issued.session(claimed: 0)
        let kept = issued.hold(connected)
        let silent = issued.session(claimed: 0)
        for _ in 0..<3 * SessionMemory.fewest { _ = issued.hold(issued.session(claimed: 0)) }
        #expect(issued.session(claimed: gone) == gone && issued.session(claimed: connected) == connected)
        #expect(issued.session(claimed: silent) != silent)
        _ = kept
    }

    @Test func aReceiverThatIsBackBeforeItsOldConnectionEndsKeepsItsSession() {
        let issued = IssuedSessions()
        let session = issued.session(claimed: 0)
        var old: IssuedSession? = issued.hold(session)
        let new = issued.hold(session)
        old = nil
        for _ in 0..<2 * SessionMemory.fewest { _ = issued.session(claimed: 0) }
        #expect(issued.session(claimed: session) == session)
        _ = (old, new)
    }

    @Test func anAcknowledgementIsNoted() throws {
        let listener = try TCPListener(on: "0", role: .sender, handshake: .binary)
        let client = try Background {
            try TCPTransport.connect(to: "127.0.0.1:\(listener.port)", role: .receiver, until: soon())
        }
        let sender = try listener.accept(until: soon())
        let receiver = try client.value()
        try sender.send(.frame(makeFrame(1), FrameInfo(sequence: 1)), until: soon())
        _ = try receiver.receiveFrame()
        try receiver.acknowledge(1)
        _ = try sender.receiveAcknowledgement()
        let session = receiver.peer.session
        receiver.close()
        sender.close()
        let issued = try #require(listener.handshakeDriver.issued)
        for _ in 0..<2 * SessionMemory.fewest { _ = issued.session(claimed: 0) }
        #expect(issued.session(claimed: session) == session)
    }
}
