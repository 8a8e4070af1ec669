import FrameStreamingCore
import FrameStreamingSystem
import Glibc
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Writes and reads that take many calls, stop in the middle, and go on.
@Suite(.ownThread(atOnce: 4)) struct PartialTransferTests {
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
        let sending = try Background { try transport.send(.sourceLost(reason: "gone"), until: soon()) }
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

    @Test func aPictureMayTakeAsLongAsItMoves() throws {
        var options = TCPOptions()
        options.standstillTimeout = .seconds(2)
        let (transport, peer) = try makeRawPair(.receiver, options: options)
        let frame = try makeFrame(1, byteCount: 2_000)
        let bytes = wire(frame, stamped(1))
        let start = MonotonicTime.now
        let sending = try Background {
            for piece in stride(from: 0, to: bytes.count, by: 100) {
                peer.send(bytes[piece..<min(piece + 100, bytes.count)])
                sleep(until: monotonicNow() + 130_000_000)
            }
        }
        #expect(try transport.receiveFrame().0.contents == frame.contents)
        #expect(MonotonicTime.now.since(start) > options.standstillTimeout, "it was quick, which shows nothing")
        try sending.value()
    }

    @Test func aPictureIsTakenAsSlowlyAsThePeerReads() throws {
        var options = TCPOptions()
        options.standstillTimeout = .seconds(2)
        let (transport, peer) = try makeRawPair(.sender, options: options, bufferSize: 4096)
        let frame = try makeFrame(1, byteCount: 60_000)
        let expected = wire(frame, stamped(1))
        let start = MonotonicTime.now
        let sending = try Background { try transport.send(.frame(frame, self.stamped(1)), until: soon()) }
        var got: [UInt8] = []
        while got.count < expected.count {
            got += peer.receiveOnce(2_500)
            sleep(until: monotonicNow() + 100_000_000)
        }
        #expect(got == expected)
        #expect(MonotonicTime.now.since(start) > options.standstillTimeout, "it was quick, which shows nothing")
        try sending.value()
    }

    @Test func acknowledgementsNeverWaitAndNoneIsLost() throws {
        let (transport, peer) = try makeRawPair(.receiver, bufferSize: 4096)
        // This call waits for the sender, and must write the rest of the acknowledgement meanwhile.
        let reading = try Background { try transport.receive(until: .never) }
        let count: UInt64 = 500
        for sequence in 1...count {
            try transport.send(
                .acknowledgement(Acknowledgement(sequence: sequence, creditThrough: sequence + 16)), until: .now)
        }
        let expected = (1...count).flatMap { Acknowledgement(sequence: $0, creditThrough: $0 + 16).marshal() }
        #expect(peer.receive(expected.count) == expected)
        transport.close()
        #expect(reading.error()?.code == .closed)
    }

    @Test func noMoreAcknowledgementsAreQueuedThanMayBe() throws {
        let (transport, _peer) = try makeRawPair(.receiver, bufferSize: 4096)
        let reading = try Background { try transport.receive(until: .never) }
        var failure: FrameStreamingError.Code?
        for sequence in 1...UInt64(2 * OutgoingMessages.mostAcknowledgements) where failure == nil {
            failure = code { try transport.acknowledge(sequence) }
        }
        #expect(failure == .connectionLost)
        #expect(reading.error()?.code == .connectionLost)
        withExtendedLifetime(_peer) {}
    }

    @Test func aPeerThatTakesNoAcknowledgementIsGivenUpByTheReadingThread() throws {
        var options = TCPOptions()
        options.standstillTimeout = .milliseconds(100)
        let (transport, _peer) = try makeRawPair(.receiver, options: options, bufferSize: 4096)
        let reading = try Background { try transport.receive(until: .never) }
        // Far more than the buffers hold.
        for sequence in 1...500 as ClosedRange<UInt64> {
            try? transport.send(.acknowledgement(Acknowledgement(sequence: sequence, creditThrough: 16)), until: .now)
        }
        #expect(reading.error()?.code == .connectionLost)
        #expect(code { try transport.acknowledge(501) } == .connectionLost)
        withExtendedLifetime(_peer) {}
    }

    @Test func aPeerThatTricklesIsCutOff() throws {
        var options = TCPOptions()
        (options.minimumRate, options.rateWindow) = (10_000, .milliseconds(100))
        let (transport, peer) = try makeRawPair(.receiver, options: options)
        let bytes = wire(try makeFrame(1, byteCount: 100), stamped(1))
        let trickling = try Background {
            for byte in bytes {
                peer.send([byte])
                usleep(5_000)
            }
        }
        #expect(code { _ = try transport.receive(until: soon()) } == .connectionLost)
        transport.close()
        try trickling.value()
    }

    @Test func aPeerThatTakesNothingIsGivenUp() throws {
        var options = TCPOptions()
        options.standstillTimeout = .milliseconds(100)
        let (transport, _peer) = try makeRawPair(.sender, options: options, bufferSize: 4096)
        let frame = try makeFrame(1, byteCount: 500_000)
        #expect(code { try transport.send(.frame(frame, stamped(1)), until: soon()) } == .connectionLost)
        #expect(code { try transport.send(.sourceRestored, until: soon()) } == .connectionLost)
        withExtendedLifetime(_peer) {}
    }
}
