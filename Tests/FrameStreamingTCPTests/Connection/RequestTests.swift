import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// The requests that a receiver sends to its sender.
@Suite(.ownThread(atOnce: 4)) struct RequestTests {
    static let all: [ReceiverRequest] = [.pause, .resume, .quality(1), .quality(55), .quality(100), .keyFrame]

    @Test(arguments: [TCPRole.sender, .receiver]) func requestsArriveInOrder(_ connecting: TCPRole) throws {
        let pair = try makePair(connecting)
        let (sender, receiver) =
            connecting.isSender ? (pair.connecting, pair.listening) : (pair.listening, pair.connecting)
        for request in Self.all { try receiver.send(.request(request), until: soon()) }
        for request in Self.all {
            guard case .request(let heard) = try sender.receive(until: soon()) else {
                Issue.record("no request")
                continue
            }
            #expect(heard == request)
        }
        #expect(code { try sender.send(.request(.pause), until: soon()) } == .invalidArgument)
        for quality in [-1, 0, 101, .max] {
            #expect(code { try receiver.send(.request(.quality(quality)), until: soon()) } == .invalidArgument)
        }
        receiver.close()
        #expect(code { try receiver.send(.request(.pause), until: soon()) } == .closed)
    }

    /// Requests may be sent between frames and acknowledgements, from any thread.
    @Test func aReceiverAsksInTheMidstOfAStream() throws {
        let pair = try makePair(.sender)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: pair.listening, decode: nil)
        for number in 1...3 as ClosedRange<UInt64> {
            try pair.connecting.send(.frame(makeFrame(number), FrameInfo(sequence: number)), until: soon())
        }
        var heard: [ReceiverRequest] = []
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(try receiver.next(until: soon())?.info.sequence == number)
            let asking = try Background { try receiver.request(.quality(Int(number))) }
            while true {
                guard case .request(let request) = try pair.connecting.receive(until: soon()) else { continue }
                heard.append(request)
                try pair.connecting.send(.requestAnswer(RequestAnswer(request)), until: soon())
                break
            }
            try asking.value()
        }
        #expect(heard == [.quality(1), .quality(2), .quality(3)])
        #expect(throws: FrameStreamingError.self) { try receiver.request(.quality(0)) }
        receiver.cancel()
        #expect(code { try receiver.request(.pause) } == .closed)
    }

    @Test func aSenderThatDidNotSaySoIsNotAsked() throws {
        let (transport, peer) = try makeRawPair(.receiver)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport)
        for request in Self.all { #expect(code { try receiver.request(request) } == .unsupported) }
        receiver.cancel()
        #expect(peer.receiveToEnd().isEmpty)
    }

    /// Several receivers share one encoding: none of them chooses its quality, and each request
    /// throws.
    @Test func aQualityThatSeveralReceiversShareIsRefused() throws {
        let pairs = [try makePair(.sender), try makePair(.receiver)]
        let senders = [pairs[0].connecting, pairs[1].listening]
        let receivers = try [pairs[0].listening, pairs[1].connecting].map {
            try FrameReceiver(codec: IdentityCodec(), transport: $0, decode: nil)
        }
        let events = Monitor<[ReceiverRequest]>([])
        var options = SenderOptions()
        options.onEvent = { event in
            guard case .refused(_, let request, let error) = event else { return }
            if error.code == .unsupported { events.update { $0.append(request) } }
        }
        let sender = try FrameSender(codec: IdentityCodec(), transports: senders, options: options)
        for receiver in receivers {
            #expect(code { try receiver.request(.quality(30)) } == .unsupported)
            for request in [ReceiverRequest.pause, .resume] {
                #expect(throws: Never.self) { try receiver.request(request) }
            }
        }
        #expect(sender.encodeSettings.quality == 80)
        #expect(events.withLock { $0 } == [.quality(30), .quality(30)])
        // Alone again, the other gets what it asks for.
        receivers[0].close()
        try waitUntil { sender.summary.receivers.contains { $0.end != nil } }
        #expect(throws: Never.self) { try receivers[1].request(.quality(30)) }
        #expect(sender.encodeSettings.quality == 30)
        for receiver in receivers { receiver.cancel() }
        sender.cancel()
    }

    @Test func aQualityOfFramesThatAreCompressedAtTheirSourceIsRefused() throws {
        let pair = try makePair(.sender)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: pair.listening, decode: nil)
        let sender = try FrameSender(codec: IdentityCodec(), transport: pair.connecting)
        #expect(throws: Never.self) { try receiver.request(.quality(40)) }
        let format = try FrameFormat(width: 16, height: 16, pixelFormat: .jpeg)
        try sender.trySend(.filled(format, byteCount: 5) { UInt8($0) })
        #expect(try receiver.next(until: soon())?.frame.byteCount == 5)
        #expect(code { try receiver.request(.quality(50)) } == .unsupported)
        receiver.cancel()
        sender.cancel()
    }

    /// An older sender takes requests, but does not answer them.
    @Test func aSenderThatDoesNotAnswerIsNotWaitedFor() throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
        let peer = try RawPeer(port: listener.port)
        var hello = Hello(
            role: TCPRole.sender.wireCode, maximumFrameByteCount: 1, bootID: [UInt8](repeating: 0, count: 16),
            stream: "")
        hello.takesRequests = true
        peer.send(hello.marshal(.hello))
        let receiver = try FrameReceiver(
            codec: IdentityCodec(), transport: try listener.accept(until: soon()), decode: nil)
        #expect(receiver.peer.abilities == .standard)
        for request in Self.all { #expect(throws: Never.self) { try receiver.request(request) } }
        receiver.cancel()
    }

    @Test func aSenderThatOwesItsAnswerIsWaitedForTwoSeconds() throws {
        let pair = try makePair(.sender)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: pair.listening, decode: nil)
        #expect(code { try receiver.request(.pause) } == .timedOut)
        // The late answer is no violation, and is not taken for that to another request.
        try pair.connecting.send(.requestAnswer(RequestAnswer(.pause, refusal: "too late")), until: soon())
        let asking = try Background { try receiver.request(.resume) }
        for expected in [ReceiverRequest.pause, .resume] {
            guard case .request(expected) = try pair.connecting.receive(until: soon()) else {
                Issue.record("no request")
                continue
            }
        }
        try pair.connecting.send(.requestAnswer(RequestAnswer(.resume)), until: soon())
        try asking.value()
        // Nor is the wait longer than the stream.
        let waiting = try Background { try receiver.request(.pause) }
        guard case .request(.pause) = try pair.connecting.receive(until: soon()) else {
            Issue.record("no request")
            return
        }
        pair.connecting.close()
        #expect(waiting.error()?.code == .endedWithoutGoodbye)
        receiver.cancel()
    }

    @Test func anAnswerThatNobodyAskedForEndsTheConnection() throws {
        let pair = try makePair(.sender)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: pair.listening, decode: nil)
        try pair.connecting.send(.requestAnswer(RequestAnswer(.pause)), until: soon())
        #expect(code { _ = try receiver.next(until: soon()) } == .protocolViolation)
        #expect(code { try pair.listening.send(.requestAnswer(RequestAnswer(.pause)), until: soon()) } != nil)
    }

    @Test func theThreadThatReadsTheAnswerDoesNotWaitForIt() throws {
        let pair = try makePair(.sender)
        let box = Monitor<FrameReceiver?>(nil)
        let failure = Monitor<FrameStreamingError.Code?>(nil)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: pair.listening, decode: nil) { _ in
            let receiver = box.wait(until: soon().nanoseconds) { $0 }
            failure.update { $0 = code { try receiver?.request(.pause) } }
        }
        box.update { $0 = receiver }
        try pair.connecting.send(.sourceLost(reason: "unplugged"), until: soon())
        #expect(failure.wait(until: soon().nanoseconds) { $0 } == .invalidArgument)
        box.update { $0 = nil }
        receiver.cancel()
    }

    /// Every number of an answer at its extremes: as a refusal, or as the end of the connection.
    @Test(arguments: [0, 1, 2, 3, 4, 5, 255] as [UInt8], [0, 1, 2, 255] as [UInt8])
    func theExtremesOfAnAnswer(kind: UInt8, verdict: UInt8) throws {
        for value in [0, 1, 50, 100, 101, .max] as [UInt32] {
            let (transport, peer) = try makeRawPair(.receiver)
            var answer = WireRequestAnswer(RequestAnswer(.pause, refusal: "no"))
            (answer.kind, answer.verdict, answer.value) = (kind, verdict, value)
            peer.send(answer.marshal())
            let known = [1, 2, 4].contains(kind) || kind == 3 && (1...100).contains(value)
            do {
                guard case .requestAnswer(let heard) = try transport.receive(until: soon()) else {
                    Issue.record("something else than an answer")
                    continue
                }
                #expect(known && (heard.refusal == nil) == (verdict == 1))
            } catch {
                #expect(!known && error.code == .protocolViolation)
            }
        }
    }

    @Test func textHasNoRequests() throws {
        let (sender, receiver) = try makePair(.sender, handshake: .text)
        #expect(code { try receiver.send(.request(.pause), until: soon()) } == .unsupported)
        #expect(code { try sender.send(.request(.pause), until: soon()) } == .invalidArgument)
    }

    @Test func aRequestOfALaterVersionIsPassedOver() throws {
        let (transport, peer) = try makeRawPair(.sender)
        var later = WireRequest(.pause)
        later.kind = 77
        later.value = .max
        peer.send(later.marshal() + WireRequest(.resume).marshal())
        guard case .request(.resume) = try transport.receive(until: soon()) else {
            Issue.record("the known one did not come")
            return
        }
    }

    @Test(arguments: [0, 101, .max] as [UInt32]) func anInvalidQualityEndsTheConnection(quality: UInt32) throws {
        let (transport, peer) = try makeRawPair(.sender)
        var request = WireRequest(.quality(1))
        request.value = quality
        peer.send(request.marshal())
        #expect(code { _ = try transport.receive(until: soon()) } == .protocolViolation)
    }

    @Test func onlyASenderSaysThatItTakesRequests() throws {
        for role in [TCPRole.sender, .receiver] {
            let listener = try RawListener()
            let connecting = try Background {
                try TCPTransport.connect(to: "127.0.0.1:\(listener.port)", role: role, until: soon())
            }
            let peer = listener.accept()
            let bytes = peer.receive(WirePrefix.length + Hello.headerLength)
            let capabilities = bytes[(WirePrefix.length + 12)..<(WirePrefix.length + 16)]
            #expect(Array(capabilities) == [0, 0, 0, role.isSender ? 3 : 0])
            peer.kill()
            #expect(connecting.error() != nil)
        }
    }
}
