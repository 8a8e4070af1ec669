import FrameStreamingCore
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// The requests that a receiver sends to its sender.
@Suite struct RequestTests {
    static let all: [ReceiverRequest] = [.pause, .resume, .quality(1), .quality(55), .quality(100)]

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
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(try receiver.next(until: soon())?.info.sequence == number)
            try receiver.request(.quality(Int(number)))
        }
        var heard: [ReceiverRequest] = []
        while heard.count < 3 {
            if case .request(let request) = try pair.connecting.receive(until: soon()) { heard.append(request) }
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
            #expect(Array(capabilities) == [0, 0, 0, role.isSender ? 1 : 0])
            peer.kill()
            #expect(connecting.error() != nil)
        }
    }
}
