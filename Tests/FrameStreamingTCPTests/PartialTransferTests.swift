import FrameStreamingCore
import Glibc
import RawSockets
import Testing

@testable import FrameStreamingTCP

/// Writes and reads that take many calls, stop in the middle, and go on.
@Suite struct PartialTransferTests {
    /// What the wire must carry for a frame.
    private func wire(_ frame: Frame, _ info: FrameInfo) -> [UInt8] {
        FrameHeader(frame, info).marshal(metadata: frame.metadata, imageBytes: frame.byteCount) + frame.contents
    }

    private func stamped(_ sequence: UInt64) -> FrameInfo {
        var info = FrameInfo(sequence: sequence)
        info.sendTime = MonotonicTime(nanoseconds: 1)
        return info
    }

    @Test func aFrameIsWrittenInPieces() throws {
        let (transport, peer) = try makeRawPair(.sender, bufferSize: 4096)
        let frame = try makeFrame(1, byteCount: 1_000_000)
        let info = stamped(1)
        let sending = try Background { try transport.send(.frame(frame, info), until: soon()) }
        let expected = wire(frame, info)
        #expect(peer.receive(expected.count) == expected)
        try sending.value()
    }

    @Test func aSendThatTimedOutGoesOnWhereItEnded() throws {
        let (transport, peer) = try makeRawPair(.sender, bufferSize: 4096)
        let first = try makeFrame(1, byteCount: 1_000_000)
        let second = try makeFrame(2, byteCount: 10)
        let (one, two) = (stamped(1), stamped(2))
        for _ in 0..<3 {
            #expect(code { try transport.send(.frame(first, one), until: .now) } == .timedOut)
        }
        let sending = try Background {
            try transport.send(.frame(first, one), until: soon())
            try transport.send(.frame(second, two), until: soon())
        }
        let expected = wire(first, one) + wire(second, two)
        #expect(peer.receive(expected.count) == expected)
        try sending.value()
    }

    @Test func anotherMessageGoesBehindTheRemainder() throws {
        let (transport, peer) = try makeRawPair(.sender, bufferSize: 4096)
        let frame = try makeFrame(1, byteCount: 500_000)
        let info = stamped(1)
        #expect(code { try transport.send(.frame(frame, info), until: .now) } == .timedOut)
        let sending = try Background { try transport.send(.sourceLost("gone"), until: soon()) }
        let expected = wire(frame, info) + WireMessage.sourceLost("gone").marshal()
        #expect(peer.receive(expected.count) == expected)
        try sending.value()
    }

    @Test func theThreadInReceiveFinishesWhatWasBegun() throws {
        let (transport, peer) = try makeRawPair(.sender, bufferSize: 4096)
        let frame = try makeFrame(1, byteCount: 500_000)
        let info = stamped(1)
        #expect(code { try transport.send(.frame(frame, info), until: .now) } == .timedOut)
        let receiving = try Background { try transport.receive(until: soon()) }
        let expected = wire(frame, info)
        #expect(peer.receive(expected.count) == expected)
        // The same call again sends nothing more.
        try transport.send(.frame(frame, info), until: soon())
        try transport.send(.sourceRestored, until: soon())
        #expect(peer.receive(8) == WireMessage.sourceRestored.marshal())
        peer.send(WireMessage.acknowledgement(Acknowledgement(sequence: 1, creditThrough: 2)).marshal())
        #expect(try receiving.value() != nil)
    }

    @Test func aReceiveThatTimedOutKeepsWhatCame() throws {
        let (transport, peer) = try makeRawPair(.receiver)
        var frame = try makeFrame(1, byteCount: 3000)
        frame.metadata = Array("metadata".utf8)
        let bytes = wire(frame, stamped(1))
        for (cut, next) in zip([0, 3, 8, 50, 84, 88, 92, 93, 2000], [3, 8, 50, 84, 88, 92, 93, 2000, bytes.count]) {
            #expect(code { _ = try transport.receive(until: .now) } == .timedOut)
            peer.send(bytes[cut..<next])
        }
        let (got, info) = try transport.receiveFrame()
        #expect(got.contents == frame.contents && got.metadata == frame.metadata && info.sequence == 1)
    }

    @Test func manyMessagesInOneRead() throws {
        let (transport, peer) = try makeRawPair(.receiver)
        let frames = try (1...UInt64(30)).map { try makeFrame($0, byteCount: 20 + Int($0)) }
        peer.send(frames.flatMap { wire($0, stamped($0.sequence)) } + Bye("done").marshal())
        for frame in frames { #expect(try transport.receiveFrame().0.contents == frame.contents) }
        #expect(try transport.receive(until: soon()) == nil)
        #expect(transport.peer.goodbye == "done")
        #expect(try transport.receive(until: soon()) == nil)
    }

    @Test func aPeerThatTricklesIsCutOff() throws {
        var options = TCPOptions()
        options.messageTimeout = .milliseconds(100)
        let (transport, peer) = try makeRawPair(.receiver, options: options)
        let bytes = wire(try makeFrame(1, byteCount: 100), stamped(1))
        let trickling = try Background {
            for byte in bytes {
                peer.send([byte])
                usleep(5_000)
            }
        }
        #expect(code { _ = try transport.receive(until: soon()) } == .limitExceeded)
        transport.close()
        try trickling.value()
    }

    @Test func aPeerThatTakesNothingIsGivenUp() throws {
        var options = TCPOptions()
        options.messageTimeout = .milliseconds(100)
        let (transport, _peer) = try makeRawPair(.sender, options: options, bufferSize: 4096)
        let frame = try makeFrame(1, byteCount: 500_000)
        #expect(code { try transport.send(.frame(frame, stamped(1)), until: soon()) } == .limitExceeded)
        #expect(code { try transport.send(.sourceRestored, until: soon()) } == .limitExceeded)
        withExtendedLifetime(_peer) {}
    }
}
