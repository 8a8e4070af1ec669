import FrameStreamingCore
import FrameStreamingSystem
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

@Suite(.ownThread(atOnce: 4)) struct TCPTransportTests {
    @Test(arguments: [TCPRole.sender, .receiver], ["127.0.0.1:0", "[::1]:0"])
    func framesAndAcknowledgementsTravel(_ role: TCPRole, _ address: String) throws {
        let (connecting, listening) = try makePair(role, on: address)
        let (sender, receiver) = role.isSender ? (connecting, listening) : (listening, connecting)
        for number in 1...UInt64(20) {
            let sent = try makeFrame(number, byteCount: 1 + Int(number) * 7001)
            try sender.send(.frame(sent, FrameInfo(sequence: number)), until: soon())
            let (frame, info) = try receiver.receiveFrame()
            #expect(info.sequence == number && frame.sequence == number)
            #expect(frame.contents == sent.contents && frame.format == sent.format)
            #expect(info.arrivalTime != nil && info.sendTime != nil)
            try receiver.acknowledge(number)
            let acknowledgement = try sender.receiveAcknowledgement()
            #expect(acknowledgement.sequence == number && acknowledgement.creditThrough == number + 16)
        }
    }

    @Test func everythingThatIsKnownOfAFrameTravels() throws {
        let (sender, receiver) = try makePair()
        var frame = try makeFrame(12, width: 17, height: 13, pixelFormat: .yuyv)
        frame.captureTime = CaptureTime(nanoseconds: 123, clock: .realtime, edge: .endOfFrame)
        frame.quality = 77
        frame.sourceColorRange = .full
        frame.metadata = (0..<Frame.maximumMetadataByteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var info = FrameInfo(sequence: 1, skipped: 3)
        info.encodeTime = .nanoseconds(5)
        info.creditWait = .nanoseconds(6)
        info.sendTime = MonotonicTime(nanoseconds: 7)
        let message = Message.frame(frame, info)
        let sending = try Background { try sender.send(message, until: soon()) }
        let (got, gotInfo) = try receiver.receiveFrame()
        try sending.value()
        #expect(got.captureTime == frame.captureTime && got.sequence == 12 && got.quality == 77)
        #expect(got.sourceColorRange == .full && got.format == frame.format && got.metadata == frame.metadata)
        #expect(gotInfo.skipped == 3 && gotInfo.encodeTime == info.encodeTime && gotInfo.creditWait == info.creditWait)
        #expect(gotInfo.sendTime == info.sendTime)
    }

    @Test(arguments: [(PixelFormat.i420, [32, 16, 16]), (.bgr24, [64]), (.nv12, [24, 20])])
    func paddedPicturesArePacked(_ pixelFormat: PixelFormat, _ strides: [Int]) throws {
        let (sender, receiver) = try makePair()
        let frame = try makeFrame(1, width: 17, height: 13, pixelFormat: pixelFormat, strides: strides)
        try sender.send(.frame(frame, FrameInfo(sequence: 1)), until: soon())
        let (got, _) = try receiver.receiveFrame()
        #expect(got.format.isTightlyPacked && got.byteCount == got.format.byteCount)
        let (from, to) = (frame.contents, got.contents)
        for index in 0..<frame.format.planeCount {
            let (old, new) = (frame.format.plane(index), got.format.plane(index))
            for line in 0..<new.height {
                let (a, b) = (old.offset + line * old.stride, new.offset + line * new.stride)
                #expect(from[a..<a + new.rowBytes] == to[b..<b + new.rowBytes])
            }
        }
    }

    @Test func newsOfTheSourceTravel() throws {
        let (sender, receiver) = try makePair()
        try sender.send(.sourceLost(reason: "unplugged"), until: soon())
        try sender.send(.sourceRestored, until: soon())
        guard case .sourceLost(reason: "unplugged") = try receiver.receive(until: soon()),
            case .sourceRestored = try receiver.receive(until: soon())
        else {
            Issue.record("other messages came")
            return
        }
    }

    @Test func bothEndsKnowEachOther() throws {
        var options = TCPOptions()
        options.stream = "front"
        var sending = TCPSenderOptions()
        sending.session = 77
        var receiving = TCPReceiverOptions()
        receiving.creditAhead = 3
        receiving.consumed = { $0 == 77 ? 41 : 0 }
        let (sender, receiver) = try makePair(.sender(sending), listening: .receiver(receiving), options: options)
        #expect(sender.peer.initialCredit == 3 && receiver.peer.creditAhead == 3)
        for peer in [sender.peer, receiver.peer] {
            #expect(peer.session == 77 && peer.resumedFrom == 41 && peer.handshake == .binary)
            #expect(peer.clockOffset == nil && peer.stream == "front" && peer.goodbye == nil)
            #expect(peer.address.hasPrefix("127.0.0.1:"))
        }
    }

    @Test func whatThePeerCannotTakeIsNotSent() throws {
        var receiving = TCPReceiverOptions()
        receiving.maximumFrameByteCount = 1000
        receiving.pixelFormats = [.jpeg]
        let (sender, receiver) = try makePair(listening: .receiver(receiving))
        let large = try makeFrame(1, byteCount: 1001)
        let raw = try makeFrame(1, width: 2, height: 2, pixelFormat: .gray8)
        let small = try makeFrame(1)
        #expect(code { try sender.send(.frame(large, FrameInfo(sequence: 1)), until: soon()) } == .limitExceeded)
        #expect(code { try sender.send(.frame(raw, FrameInfo(sequence: 1)), until: soon()) } == .unsupported)
        #expect(code { try sender.send(.frame(small, FrameInfo(sequence: 2)), until: soon()) } == .invalidArgument)
        #expect(code { try sender.acknowledge(1) } == .invalidArgument)
        #expect(code { try receiver.send(.sourceRestored, until: soon()) } == .invalidArgument)
    }

    /// Once warm, no image costs an allocation, on the receiver's side
    /// or in the packing of the sender's.
    @Test func memoryStaysFlat() throws {
        var receiving = TCPReceiverOptions()
        let pool = FramePool(capacity: 4)
        receiving.pool = pool
        let (sender, receiver) = try makePair(listening: .receiver(receiving))
        let frame = try makeFrame(1, byteCount: 50_000)
        for number in 1...UInt64(200) {
            try sender.send(.frame(frame, FrameInfo(sequence: number)), until: soon())
            _ = try receiver.receiveFrame()
            try receiver.acknowledge(number)
            _ = try sender.receiveAcknowledgement()
        }
        #expect(pool.statistics.allocations <= 2 && pool.statistics.unpooled == 0 && pool.statistics.leased == 0)
    }

    @Test func aPongEchoesThePing() throws {
        let (transport, peer) = try makeRawPair(.receiver)
        let receiving = try Background { try transport.receive(until: soon()) == nil }
        let before = monotonicNow()
        peer.send(Ping(id: 9, sendTime: -4).marshal())
        let pong = try Pong(header: peer.receive(WirePrefix.length + Pong.headerLength)[WirePrefix.length...])
        #expect(pong.id == 9 && pong.echoedTime == -4)
        #expect(before <= pong.receiveTime && pong.receiveTime <= pong.sendTime && pong.sendTime <= monotonicNow())
        transport.close()
        #expect(receiving.error()?.code == .closed)
    }
}
