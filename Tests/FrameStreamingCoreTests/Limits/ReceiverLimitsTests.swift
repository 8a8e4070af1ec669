import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingCore

/// A receiver ends the stream of a sender that sends no usable frames, and says why.
@Suite(.ownThread(atOnce: 4)) struct ReceiverLimitsTests {
    /// Decodes the frames with even numbers, or none.
    private struct Picky: FrameCodec {
        var decodes: @Sendable (UInt64) -> Bool

        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            guard decodes(frame.sequence) else {
                throw FrameStreamingError(.limitExceeded, "picture \(frame.sequence) is too large", limit: .pixels)
            }
            return frame
        }
    }

    private func frames(_ count: Int) throws -> [Frame] {
        try (0..<count).map { number in
            try .filled(FrameFormat(width: 4, height: 2, pixelFormat: .gray8), sequence: UInt64(number)) { _ in 7 }
        }
    }

    private func send(
        _ frames: [Frame], over transport: any Transport
    ) throws -> (FrameSender, Background<SenderSummary>) {
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: transport, options: SenderOptions(policy: .reliable))
        return (
            sender,
            try Background {
                var source = ScriptedSource(frames)
                return try sender.run(&source)
            }
        )
    }

    private func limits(_ failures: Int) -> ReceiverLimits {
        var limits = ReceiverLimits()
        limits.maximumDecodeFailures = failures
        return limits
    }

    @Test func aRowOfUndecodableFramesEndsBothSides() throws {
        let link = MemoryTransport.pair()
        let (sender, running) = try send(frames(10), over: link.sender)
        let receiver = try FrameReceiver(
            codec: Picky { _ in false }, transport: link.receiver, limits: limits(3))
        let error = #expect(throws: FrameStreamingError.self) { try receiver.next(until: .after(.seconds(30))) }
        #expect(error?.code == .limitExceeded && error?.limit == .decodeFailures, "\(error as Any)")
        #expect(error?.message.contains("3 frames in a row") == true && error?.subject == "memory")
        #expect(error?.message.contains("picture 2 is too large") == true)
        let again = #expect(throws: FrameStreamingError.self) { try receiver.next(until: .after(.seconds(30))) }
        #expect(again?.limit == .decodeFailures)
        let told = running.error(as: FrameStreamingError.self)
        #expect(told?.code == .peerFailed && told?.message.contains("3 frames in a row") == true, "\(told as Any)")
        let figures = receiver.statistics
        #expect(figures.decodeFailures == 3 && figures.limits[.pixels] == 3 && figures.limits[.decodeFailures] == 1)
        #expect(receiver.end == .error)
        let total = sender.summary.total
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
    }

    @Test func aFrameThatDecodesBeginsTheRowAnew() throws {
        let link = MemoryTransport.pair()
        let (_, running) = try send(frames(9), over: link.sender)
        let receiver = try FrameReceiver(
            codec: Picky { $0 % 3 == 2 }, transport: link.receiver, limits: limits(3))
        var numbers: [UInt64] = []
        while let received = try receiver.next(until: .after(.seconds(30))) { numbers.append(received.frame.sequence) }
        #expect(numbers == [2, 5, 8] && receiver.statistics.decodeFailures == 6)
        #expect(try running.value().total.failed == 6)
    }

    /// 0 is any number, and the default lets a burst of damage pass.
    @Test(arguments: [(0, 1_000), (300, 299)]) func aShortRowEndsNothing(limit: Int, count: Int) throws {
        #expect(ReceiverLimits().maximumDecodeFailures == 300)
        let link = MemoryTransport.pair()
        let (_, running) = try send(frames(count + 1), over: link.sender)
        let receiver = try FrameReceiver(
            codec: Picky { $0 == UInt64(count) }, transport: link.receiver, limits: limits(limit))
        #expect(try receiver.next(until: .after(.seconds(30)))?.frame.sequence == UInt64(count))
        #expect(try receiver.next(until: .after(.seconds(30))) == nil)
        #expect(try running.value().total.failed == count)
    }

    @Test func anIdleSenderIsGivenUpWithTheReason() throws {
        let link = MemoryTransport.pair()
        var limits = ReceiverLimits()
        limits.idleTimeout = .milliseconds(20)
        let listening = try Background { () -> Message? in
            let message = try link.sender.receive(until: .after(.seconds(30)))
            try? link.sender.finish("understood", until: .after(.seconds(30)))
            return message
        }
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver, limits: limits)
        let error = #expect(throws: FrameStreamingError.self) { try receiver.next(until: .after(.seconds(30))) }
        #expect(error?.code == .limitExceeded && error?.limit == .idleTime, "\(error as Any)")
        #expect(try listening.value() == nil)
        let goodbye = link.sender.peer.goodbye
        #expect(goodbye?.code == .failed, "\(goodbye as Any)")
        #expect(goodbye?.text.contains("no frame for 0.02 seconds") == true, "\(goodbye as Any)")
        #expect(receiver.statistics.limits[.idleTime] == 1 && receiver.end == .error)
    }

    @Test func limitsThatMakeNoSenseAreRefused() {
        var (none, negative) = (ReceiverLimits(), ReceiverLimits())
        none.idleTimeout = .zero
        negative.idleTimeout = .seconds(-1)
        for wrong in [limits(-1), limits(.min), none, negative] {
            let error = #expect(throws: FrameStreamingError.self) {
                _ = try FrameReceiver(
                    codec: IdentityCodec(), transport: MemoryTransport.pair().receiver, limits: wrong)
            }
            #expect(error?.code == .invalidArgument)
        }
    }
}
