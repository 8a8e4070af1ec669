import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Clocks of two machines, from end to end.
@Suite(.ownThread(atOnce: 4)) struct ClockTests {
    /// Starts a thread that keeps an end in `receive` until it is closed, and drops the messages.
    private func listening(to transport: TCPTransport) throws -> Background<Bool> {
        try Background {
            while (try? transport.receive(until: .never)) ?? nil != nil {}
            return true
        }
    }

    private func expectTruth(_ peer: Peer, ahead: Int64) throws {
        let (offset, error) = (try #require(peer.clockOffset), try #require(peer.clockError))
        let truth = Duration.nanoseconds(-ahead)
        // The bound allows for a busy machine; what matters is that the
        // true offset is within the error.
        #expect(error > .zero && error < .seconds(10))
        #expect(offset - truth <= error && truth - offset <= error, "\(offset) ± \(error), but \(truth)")
    }

    /// Machines that were cloned while they ran have one boot id. If their calendar times agree as
    /// well, only PING distinguishes them.
    @Test(arguments: [TwoMachines.Identity.each, .bootID, .bootIDAndCalendar])
    func bothEndsFindOutByThemselves(shared: TwoMachines.Identity) throws {
        let machines = try TwoMachines(shared: shared)
        let threads = try [listening(to: machines.sender), listening(to: machines.receiver)]
        try waitUntil { machines.sender.peer.clockOffset != nil && machines.receiver.peer.clockOffset != nil }
        for _ in 0..<20 {
            try expectTruth(machines.receiver.peer, ahead: TwoMachines.senderAhead)
            try expectTruth(machines.sender.peer, ahead: TwoMachines.receiverAhead)
            sleep(until: monotonicNow() + 20_000_000)
        }
        #expect(machines.sender.roundTrip != nil && machines.receiver.roundTrip != nil)
        machines.sender.close()
        machines.receiver.close()
        for thread in threads { #expect(try thread.value()) }
    }

    @Test func thereIsNoAgeBeforeTheFirstAnswerAndATrueOneAfterIt() throws {
        let machines = try TwoMachines(losesPongs: true)
        let acknowledgements = try listening(to: machines.sender)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: machines.receiver, decode: nil)
        func send(_ number: UInt64) throws -> MonotonicTime {
            var frame = try makeFrame(number)
            let captured = MonotonicTime.now
            frame.captureTime = CaptureTime(captured)
            try machines.sender.send(.frame(frame, FrameInfo(sequence: number)), until: soon())
            return captured
        }
        _ = try send(1)
        let first = try #require(try receiver.next(until: soon()))
        #expect(first.localCaptureTime == nil && first.age == nil)
        #expect(receiver.peer.clockOffset == nil && receiver.peer.clockError == nil)
        machines.letPongsThrough()
        try waitUntil { receiver.peer.clockOffset != nil }
        #expect(receiver.statistics.latency.count == 0)
        for number in 2...5 as ClosedRange<UInt64> {
            let captured = try send(number)
            let received = try #require(try receiver.next(until: soon()))
            let found = try #require(received.localCaptureTime)
            let error = try #require(receiver.peer.clockErrorNanoseconds)
            // The error is read after the time was translated. It can only have grown
            // since, by the drift that it includes.
            #expect(abs(found.nanoseconds - captured.nanoseconds) <= error + 1_000_000)
        }
        machines.sender.close()
        #expect(throws: FrameStreamingError.self) { try receiver.next(until: soon()) }
        // Frames 2 to 5 count: the last one was acknowledged by the request for
        // a further frame, which timed out.
        #expect(receiver.statistics.latency.count == 4)
        #expect(try acknowledgements.value())
    }

    @Test func oneMachineHasOneClockOnceAnAnswerSaysSo() throws {
        let (transport, peer) = try makeRawPair(.receiver, claimsOurClock: true)
        let receiving = try Background { try transport.receive(until: soon()) == nil }
        #expect(transport.peer.clockOffset == nil && transport.peer.clockError == nil)
        try answer(peer, ahead: 0)
        try waitUntil { transport.peer.clockOffset != nil }
        #expect(transport.peer.clockOffset == .zero && transport.peer.clockError == .zero)
        transport.close()
        #expect(receiving.error()?.code == .closed)
    }

    /// Answers the next question, which is the next message.
    private func answer(_ peer: RawPeer, ahead: Int64) throws {
        let bytes = peer.receive(WirePrefix.length + Ping.headerLength)
        try #require(bytes.first == WireType.ping.rawValue)
        let now = monotonicNow() + ahead
        let ping = try Ping(header: bytes[WirePrefix.length...])
        peer.send(Pong(answering: ping, receiveTime: now, sendTime: now).marshal())
    }

    /// A frame that was captured and sent when the clock of its machine showed this.
    private func frame(_ sequence: UInt64, at time: Int64) throws -> [UInt8] {
        var frame = try makeFrame(sequence)
        frame.captureTime = CaptureTime(MonotonicTime(nanoseconds: time))
        var info = FrameInfo(sequence: sequence)
        info.sendTime = MonotonicTime(nanoseconds: time)
        return FrameHeader(frame, info).marshal(metadata: [], imageBytes: frame.byteCount) + frame.contents
    }

    @Test(arguments: [600_000_000_000, -600_000_000_000] as [Int64])
    func anAgeIsRightOrNotKnownWhereTheBootIDLies(ahead: Int64) throws {
        let (transport, peer) = try makeRawPair(.receiver, claimsOurClock: true)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
        peer.send(try frame(1, at: monotonicNow() + ahead))
        let first = try #require(try receiver.next(until: soon()))
        #expect(first.age == nil && receiver.peer.clockOffset == nil && receiver.peer.clockError == nil)
        try answer(peer, ahead: ahead)
        try waitUntil { receiver.peer.clockOffset != nil }
        try expectTruth(receiver.peer, ahead: ahead)
        let captured = monotonicNow()
        peer.send(try frame(2, at: captured + ahead))
        let second = try #require(try receiver.next(until: soon()))
        let found = try #require(second.localCaptureTime)
        let error = try #require(receiver.peer.clockErrorNanoseconds)
        #expect(abs(found.nanoseconds - captured) <= error + 1_000_000)
        receiver.cancel()
    }

    @Test func theFirstPictureOfOneMachineHasAnAge() throws {
        let start = monotonicNow()
        let (transport, peer) = try makeRawPair(.receiver, claimsOurClock: true)
        peer.send(try frame(1, at: monotonicNow()))
        let (_, info) = try transport.receiveFrame()
        #expect(info.arrivalTime != nil)
        // Not checked if the machine delayed the thread so long that the answer says nothing.
        if monotonicNow() - start < 80_000_000 {
            #expect(transport.peer.clockOffset == .zero && transport.peer.clockError == .zero)
        }
    }

    /// Time namespaces of one machine share the calendar, so an equal
    /// boot id is never proof of one clock.
    @Test(arguments: [2_000_000, -600_000_000_000, .max] as [Int64])
    func anotherTimeOfTheCalendarIsAnotherClock(ahead: Int64) throws {
        let calendarAhead = ahead == .max ? Int64.max - realtimeOffset() - 1_000_000 : ahead
        let (transport, peer) = try makeRawPair(.receiver, claimsOurClock: true, calendarAhead: calendarAhead)
        peer.send(try frame(1, at: monotonicNow()))
        _ = try transport.receiveFrame()
        #expect(transport.peer.clockOffset == nil)
        try answer(peer, ahead: 0)
        let receiving = try Background { try transport.receive(until: soon()) == nil }
        try waitUntil { transport.peer.clockOffset != nil }
        #expect(try #require(transport.peer.clockError) > .zero)
        transport.close()
        #expect(receiving.error()?.code == .closed)
    }

    @Test(arguments: [.adaptive, 4] as [SendWindow])
    func theWayIsMeasuredForAnAdaptiveWindowAlone(window: SendWindow) throws {
        let (transport, peer) = try makeRawPair(.sender)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: transport, options: SenderOptions(policy: .latest, window: window))
        defer { sender.cancel() }
        let isAdaptive = window == .adaptive
        var (questions, frames): ([Ping], UInt64) = ([], 0)
        // The reading thread may get to it after the first frame. Each picture is
        // sent alone, so none is replaced.
        while frames < 3 {
            #expect(try sender.trySend(makeFrame(frames + 1)) == .sent)
            var type = UInt8(0)
            repeat {
                let prefix = try WirePrefix(unmarshal: peer.receive(WirePrefix.length)[...])
                let rest = peer.receive(prefix.headerLength + prefix.payloadLength)
                type = prefix.type
                if type == WireType.ping.rawValue {
                    let ping = try Ping(header: rest[...])
                    questions.append(ping)
                    peer.send(
                        Pong(answering: ping, receiveTime: monotonicNow(), sendTime: monotonicNow()).marshal())
                }
            } while type == WireType.ping.rawValue
            frames += 1
            peer.send(Acknowledgement(sequence: frames, creditThrough: frames + 16).marshal())
            try waitUntil { sender.summary.total.acknowledged == Int(frames) }
        }
        #expect(isAdaptive ? !questions.isEmpty : questions.isEmpty)
        // Reading the round trip starts its measurement, so the test with
        // a fixed window does not read it.
        if isAdaptive {
            let measured = try #require(transport.roundTrip)
            #expect(measured > .zero && measured < .seconds(10))
        }
        #expect(transport.peer.clockOffset == .zero && transport.peer.clockError == .zero)
    }

    @Test func bothEndsOfOneMachineFindThatTheyHaveOneClock() throws {
        let (sender, receiver) = try makePair()
        #expect(sender.roundTrip == nil && receiver.roundTrip == nil && sender.peer.clockOffset == nil)
        let threads = try [listening(to: sender)]
        try sender.send(.frame(makeFrame(1), FrameInfo(sequence: 1)), until: soon())
        _ = try receiver.receiveFrame()
        try receiver.acknowledge(1)
        let answers = try listening(to: receiver)
        for end in [sender, receiver] {
            try waitUntil { end.roundTrip != nil && end.peer.clockError == .zero }
            #expect(end.peer.clockOffset == .zero)
        }
        sender.close()
        receiver.close()
        for thread in threads + [answers] { #expect(try thread.value()) }
    }

    @Test func anotherMachineIsAskedByTheThreadInReceive() throws {
        let (transport, peer) = try makeRawPair(.receiver, isOtherMachine: true)
        #expect(transport.peer.clockOffset == nil && transport.peer.clockError == nil)
        let receiving = try Background { try transport.receive(until: soon()) == nil }
        // No frames are sent, and the questions are asked nevertheless.
        for id in 1...3 as ClosedRange<UInt64> {
            let bytes = peer.receive(WirePrefix.length + Ping.headerLength)
            try #require(bytes.first == WireType.ping.rawValue)
            let ping = try Ping(header: bytes[WirePrefix.length...])
            #expect(ping.id == id && ping.sendTime <= monotonicNow())
        }
        transport.close()
        #expect(receiving.error()?.code == .closed)
    }

    /// A caller that waits in slices gets its slices, whether or not there is something to ask.
    @Test func aQuestionEndsNoWaitEarlyOrLate() throws {
        let (transport, peer) = try makeRawPair(.sender, isOtherMachine: true)
        for _ in 0..<5 {
            let deadline = Deadline.after(.milliseconds(30))
            #expect(code { _ = try transport.receive(until: deadline) } == .timedOut)
            #expect(deadline.hasPassed)
        }
        #expect(peer.receiveOnce(1).first == WireType.ping.rawValue)
    }

    @Test func aPeerThatNeverAnswersIsNoError() throws {
        let (transport, peer) = try makeRawPair(.receiver, isOtherMachine: true)
        let receiving = try Background { try transport.receiveFrame() }
        let frame = try makeFrame(1)
        _ = peer.receive(WirePrefix.length + Ping.headerLength)
        peer.send(
            FrameHeader(frame, FrameInfo(sequence: 1)).marshal(metadata: [], imageBytes: frame.byteCount)
                + frame.contents)
        #expect(try receiving.value().1.sequence == 1)
        #expect(transport.peer.clockOffset == nil)
    }

    @Test func textHasNoClock() throws {
        let (sender, receiver) = try makePair(handshake: .text)
        for peer in [sender.peer, receiver.peer] { #expect(peer.clockOffset == nil && peer.clockError == nil) }
        #expect(sender.roundTrip == nil && receiver.roundTrip == nil)
    }
}
