import FrameStreamingCore
import FrameStreamingSystem
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// The calls of a thread that polls several connections.
@Suite(.ownThread(atOnce: 4)) struct WatchedTransportTests {
    private func acknowledgement(_ sequence: UInt64) -> [UInt8] {
        Acknowledgement(sequence: sequence, creditThrough: sequence + 16).marshal()
    }

    /// Waits until the connection is readable, and returns what one call delivered.
    private func arrived(_ transport: TCPTransport) throws -> (sequences: [UInt64], needs: WatchedNeeds?) {
        let descriptor = try #require(transport.watched)
        let readiness = try wait(for: PollEvents.input, on: descriptor.raw, until: soon().nanoseconds, wakeUp: nil)
        #expect(readiness != .timedOut)
        var messages: [Message] = []
        let needs = try transport.receiveArrived(into: &messages)
        return (sequences(messages), needs)
    }

    private func sequences(_ messages: [Message]) -> [UInt64] {
        messages.compactMap { if case .acknowledgement(let word) = $0 { word.sequence } else { nil } }
    }

    @Test func whereNothingHasComeNothingIsWaitedFor() throws {
        let (transport, peer) = try makeRawPair(.sender)
        var messages: [Message] = []
        let needs = try transport.receiveArrived(into: &messages)
        #expect(needs == WatchedNeeds(lookBy: nil, wantsOutput: false))
        #expect(messages.isEmpty)
        // The connection was alive until here.
        peer.shutdownWriting()
    }

    @Test func severalAreTakenAtOnceAndInOrder() throws {
        let (transport, peer) = try makeRawPair(.sender)
        peer.send((1...3).flatMap { acknowledgement($0) })
        let (sequences, needs) = try arrived(transport)
        #expect(sequences == [1, 2, 3])
        #expect(needs == WatchedNeeds(lookBy: nil, wantsOutput: false))
    }

    @Test func aPartIsKeptAndMustBeWholeInTime() throws {
        let (transport, peer) = try makeRawPair(.sender)
        let bytes = acknowledgement(1)
        var lookBy: [MonotonicTime?] = []
        for cut in [0..<3, 3..<40] {
            peer.send(Array(bytes[cut]))
            let (sequences, needs) = try arrived(transport)
            #expect(sequences.isEmpty)
            lookBy.append(needs?.lookBy)
        }
        let (first, second) = (try #require(lookBy[0]), try #require(lookBy[1]))
        #expect(first < second, "what has come puts it off")
        peer.send(Array(bytes[40...]) + acknowledgement(2))
        let (sequences, needs) = try arrived(transport)
        #expect(sequences == [1, 2])
        #expect(needs?.lookBy == nil)
    }

    @Test func aMessageThatTricklesEndsTheConnection() throws {
        var options = TCPOptions()
        options.standstillTimeout = .milliseconds(300)
        let (transport, peer) = try makeRawPair(.sender, options: options)
        peer.send(acknowledgement(1) + acknowledgement(2).dropLast())
        let (sequences, needs) = try arrived(transport)
        #expect(sequences == [1])
        let due = try #require(needs?.lookBy)
        sleep(until: due.nanoseconds)
        // Nothing more has arrived, as the loop requires.
        var messages: [Message] = []
        #expect(code { _ = try transport.receiveArrived(into: &messages) } == .connectionLost)
        #expect(messages.isEmpty)
        #expect(code { _ = try transport.receive(until: soon()) } == .connectionLost)
    }

    @Test func aGoodbyeComesBehindWhatWasSaidBefore() throws {
        let (transport, peer) = try makeRawPair(.sender)
        peer.send(acknowledgement(1) + Bye("enough").marshal())
        let (sequences, needs) = try arrived(transport)
        #expect(sequences == [1])
        #expect(needs == nil)
        #expect(transport.peer.goodbye == "enough")
        var messages: [Message] = []
        #expect(try transport.receiveArrived(into: &messages) == nil, "an end stays one")
        try transport.finish("", until: soon())
        #expect(peer.receiveToEnd().first == WireType.byeAcknowledgement.rawValue)
    }

    @Test func anEndWithoutAGoodbye() throws {
        let (transport, peer) = try makeRawPair(.sender)
        peer.send(acknowledgement(1))
        peer.shutdownWriting()
        #expect(try arrived(transport).sequences == [1])
        #expect(code { _ = try arrived(transport) } == .endedWithoutGoodbye)
    }

    @Test func aCloseIsSeenAndSaid() throws {
        let (transport, _) = try makeRawPair(.sender)
        let descriptor = try #require(transport.watched)
        transport.close()
        let readiness = try wait(for: PollEvents.input, on: descriptor.raw, until: soon().nanoseconds, wakeUp: nil)
        #expect(readiness != .timedOut)
        var messages: [Message] = []
        #expect(code { _ = try transport.receiveArrived(into: &messages) } == .closed)
        #expect(transport.watched == nil)
    }

    @Test func whatViolatesTheProtocolEndsIt() throws {
        let (transport, peer) = try makeRawPair(.sender)
        peer.send(acknowledgement(1) + WireMessage.sourceRestored.marshal())
        var messages: [Message] = []
        let descriptor = try #require(transport.watched)
        _ = try wait(for: PollEvents.input, on: descriptor.raw, until: soon().nanoseconds, wakeUp: nil)
        #expect(code { _ = try transport.receiveArrived(into: &messages) } == .protocolViolation)
        #expect(sequences(messages) == [1])
    }

    @Test func aPingIsAnswered() throws {
        let (transport, peer) = try makeRawPair(.sender)
        peer.send(Ping(id: 5, sendTime: 77).marshal())
        #expect(try arrived(transport).sequences.isEmpty)
        let answer = peer.receive(WirePrefix.length + Pong.headerLength)
        #expect(try Pong(header: answer.dropFirst(WirePrefix.length)).id == 5)
        transport.close()
    }

    @Test func theOtherMachinesClockIsAskedForInTime() throws {
        let (transport, peer) = try makeRawPair(.sender, isOtherMachine: true)
        var messages: [Message] = []
        let needs = try transport.receiveArrived(into: &messages)
        let question = peer.receive(WirePrefix.length + Ping.headerLength)
        #expect(question.first == WireType.ping.rawValue)
        #expect(needs?.lookBy != nil)
        transport.close()
    }

    @Test func aPeerThatDoesNotReadGetsTheRestWhenThereIsRoom() throws {
        let (transport, peer) = try makeRawPair(.sender, bufferSize: 1)
        // A frame is partly written, and the thread that would finish it is absent.
        let frame = try makeFrame(1, byteCount: 500_000)
        #expect(code { try transport.send(.frame(frame, FrameInfo(sequence: 1)), until: .now) } == .timedOut)
        var messages: [Message] = []
        var needs = try transport.receiveArrived(into: &messages)
        #expect(needs?.wantsOutput == true)
        #expect(needs?.lookBy != nil, "a peer that takes nothing is given up in the end")
        let reading = try Background { peer.receive(WirePrefix.length + FrameHeader.length + 500_000).count }
        let descriptor = try #require(transport.watched)
        while needs?.wantsOutput == true {
            _ = try wait(for: PollEvents.output, on: descriptor.raw, until: soon().nanoseconds, wakeUp: nil)
            needs = try transport.receiveArrived(into: &messages)
        }
        #expect(try reading.value() == WirePrefix.length + FrameHeader.length + 500_000)
        transport.close()
    }

    @Test func whatFinishReadIsNotLost() throws {
        let (transport, peer) = try makeRawPair(.sender)
        let finishing = try Background { try transport.finish("done", until: soon()) }
        let farewell = peer.receive(WirePrefix.length)
        #expect(farewell.first == WireType.bye.rawValue)
        peer.send(acknowledgement(1) + ByeAcknowledgement(consumedThrough: 1).marshal())
        peer.shutdownWriting()
        try finishing.value()
        var messages: [Message] = []
        #expect(try transport.receiveArrived(into: &messages) == nil)
        #expect(sequences(messages) == [1])
    }

    @Test func onlyBinarySendersAreWatched() throws {
        let (receiver, _) = try makeRawPair(.receiver)
        #expect(receiver.watched == nil)
        let (text, _) = try makeRawPair(.sender, handshake: .text)
        #expect(text.watched == nil)
        var messages: [Message] = []
        #expect(code { _ = try text.receiveArrived(into: &messages) } == .unsupported)
    }
}
