import FrameStreamingCore
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Hostile senders, over the real transport: what ends them names its limit, and is counted.
@Suite(.ownThread(atOnce: 4)) struct ReceiverLimitsTests {
    /// Decodes nothing.
    private struct Refusing: FrameCodec {
        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            throw FrameStreamingError(.corruptImage, "rubbish")
        }
    }

    private func frame(_ sequence: UInt64) throws -> [UInt8] {
        let frame = try makeFrame(sequence, byteCount: 5)
        return FrameHeader(frame, FrameInfo(sequence: sequence)).marshal(metadata: [], imageBytes: 5) + frame.contents
    }

    /// Reads messages up to the goodbye, and returns it.
    private func goodbye(_ peer: RawPeer) throws -> Goodbye {
        while true {
            let prefix = try WirePrefix(unmarshal: peer.receive(WirePrefix.length)[...])
            let header = peer.receive(prefix.headerLength)
            let payload = peer.receive(prefix.payloadLength)
            if prefix.type == WireType.bye.rawValue {
                return try Bye(header: header[...], payload: payload[...]).goodbye
            }
        }
    }

    /// Reads the goodbye and answers it, on another thread.
    private func answering(_ peer: RawPeer) throws -> Background<Goodbye> {
        try Background {
            let goodbye = try goodbye(peer)
            peer.send(ByeAcknowledgement(consumedThrough: 0).marshal())
            peer.shutdownWriting()
            return goodbye
        }
    }

    @Test func rubbishIsEndedAfterARow() throws {
        let (transport, peer) = try makeRawPair(.receiver)
        var limits = ReceiverLimits()
        limits.maximumDecodeFailures = 4
        let receiver = try FrameReceiver(codec: Refusing(), transport: transport, limits: limits)
        for sequence in 1...4 as ClosedRange<UInt64> { peer.send(try frame(sequence)) }
        let answer = try answering(peer)
        let error = #expect(throws: FrameStreamingError.self) { try receiver.next(until: soon()) }
        #expect(error?.code == .limitExceeded && error?.limit == .decodeFailures, "\(error as Any)")
        let said = try answer.value()
        #expect(said.code == .failed && said.text.contains("4 frames in a row did not decode"), "\(said)")
        #expect(receiver.statistics.decodeFailures == 4 && receiver.statistics.limits[.decodeFailures] == 1)
    }

    @Test(arguments: [Handshake.binary, .text]) func aSenderThatSendsNothingIsGivenUp(_ handshake: Handshake) throws {
        let (transport, peer) = try makeRawPair(.receiver, handshake: handshake)
        var limits = ReceiverLimits()
        limits.idleTimeout = .milliseconds(50)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, limits: limits)
        let answer = handshake == .binary ? try answering(peer) : nil
        let error = #expect(throws: FrameStreamingError.self) { try receiver.next(until: soon()) }
        #expect(error?.code == .limitExceeded && error?.limit == .idleTime, "\(error as Any)")
        if let said = try answer?.value() { #expect(said.code == .failed && said.text.contains("no frame for")) }
        #expect(peer.waitForEnd())
        #expect(receiver.statistics.limits[.idleTime] == 1)
    }

    @Test func aFrameBeyondTheLimitIsCounted() throws {
        var options = TCPReceiverOptions()
        options.maximumFrameByteCount = 4
        let (transport, peer) = try makeRawPair(.receiver(options))
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport)
        peer.send(try frame(1))
        let error = #expect(throws: FrameStreamingError.self) { try receiver.next(until: soon()) }
        #expect(error?.code == .limitExceeded && error?.limit == .frameBytes)
        #expect(receiver.statistics.limits[.frameBytes] == 1)
        let interval = receiver.takeInterval()
        #expect(interval.limits[.frameBytes] == 1 && receiver.takeInterval().limits.isEmpty)
        #expect(receiver.statistics.limits[.frameBytes] == 1)
    }

    @Test(arguments: [PeerLimit.messageTime, .minimumRate])
    func aMessageThatDoesNotMoveIsCounted(_ limit: PeerLimit) throws {
        var options = TCPOptions()
        options.minimumRate = 0
        if limit == .messageTime {
            options.standstillTimeout = .milliseconds(50)
        } else {
            options.minimumRate = 1_000
            options.rateWindow = .milliseconds(50)
        }
        let (transport, peer) = try makeRawPair(.receiver, options: options)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport)
        peer.send(try frame(1).dropLast())
        let error = #expect(throws: FrameStreamingError.self) { try receiver.next(until: soon()) }
        #expect(error?.code == .connectionLost && error?.limit == limit, "\(error as Any)")
        #expect(receiver.statistics.limits[limit] == 1)
    }
}
