import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingCore

/// Frames that a connection refuses: nothing of them was sent, and the connection still works.
@Suite(.ownThread(atOnce: 4)) struct RefusedFrameTests {
    private typealias Driver = ReceiverSessionTests.Driver
    private static let (first, second) = (ReceiverSessionTests.first, ReceiverSessionTests.second)

    // MARK: The session

    /// A session with one frame acknowledged, of which the connection refuses the next.
    private static func refusal(
        _ code: FrameStreamingError.Code, _ policy: DeliveryPolicy = .reliable,
        _ connecting: SessionConnecting = .byThisSide
    ) throws -> Driver {
        var driver = try Driver(policy, connecting: connecting) { $0.reconnection = .always }
        driver.connect()
        driver.offer()
        driver.acknowledge(1)
        driver.takesAll = false
        driver.offer()
        driver.refuse(code)
        return driver
    }

    @Test(arguments: [FrameStreamingError.Code.limitExceeded, .invalidArgument, .unsupported])
    func theSessionEndsWithAGoodbyeThatHasTheReason(_ code: FrameStreamingError.Code) throws {
        for connecting in [SessionConnecting.byThisSide, .byReceiver(isIncoming: true)] {
            var driver = try Self.refusal(code, .reliable, connecting)
            let goodbye: Goodbye =
                code == .unsupported ? .unsupported("too large") : .failed("a frame could not be sent: too large")
            #expect(driver.closes == [.goodbye(goodbye)])
            driver.tell(.saidGoodbye(Self.first, nil))
            #expect(driver.session.phase.streamEnd == .error && driver.session.failure?.code == code)
            #expect(driver.counts.acknowledged == 1 && driver.counts.failed == 1 && driver.counts.lost == 0)
        }
    }

    @Test func anotherReceiverOfAListenerMayTakeTheFrame() throws {
        var driver = try Self.refusal(.limitExceeded, .reliable, .byListener)
        #expect(driver.closes == [.answer] && driver.counts.failed == 0)
        driver.takesAll = true
        driver.connect(Self.second)
        #expect(driver.numbers == [1, 2])
        driver.acknowledge(1, Self.second)
        #expect(driver.counts.acknowledged == 2)
        // Under latest it is not sent again.
        driver = try Self.refusal(.limitExceeded, .latest, .byListener)
        driver.takesAll = true
        driver.connect(Self.second)
        driver.offer()
        #expect(driver.numbers == [1, 3] && driver.counts.failed == 1)
    }

    @Test func anInvalidFrameEndsTheStreamOfAListener() throws {
        let driver = try Self.refusal(.invalidArgument, .reliable, .byListener)
        #expect(driver.closes == [.goodbye(.failed("a frame could not be sent: too large"))])
        #expect(driver.session.phase.isClosing && driver.counts.failed == 1)
    }

    @Test func aLateRefusalChangesNothing() throws {
        var driver = try Driver()
        driver.connect()
        driver.takesAll = false
        driver.offer()
        driver.breakOff()
        driver.connect(Self.second)
        driver.refuse(.limitExceeded)
        #expect(driver.closes == [.abrupt(1)] && driver.session.phase.isOpen && driver.counts.failed == 0)
    }

    // MARK: A transport of one's own

    /// Takes no frame of more than ten bytes. With `hesitates` it says so only to a call that waits.
    private struct Narrow: Transport {
        let inner: MemoryTransport
        let hesitates: Bool

        var peer: Peer { inner.peer }

        func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
            if case .frame(let frame, _) = message, frame.byteCount > 10 {
                if hesitates, deadline.hasPassed { throw FrameStreamingError(.timedOut, "not now") }
                throw FrameStreamingError(.limitExceeded, "\(frame.byteCount) bytes are more than 10")
            }
            try inner.send(message, until: deadline)
        }

        func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
            try inner.receive(until: deadline)
        }

        func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
            try inner.finish(goodbye, until: deadline)
        }

        func close() { inner.close() }
    }

    @Test(arguments: [false, true]) func theReceiverHearsWhatItsTransportRefused(hesitates: Bool) throws {
        let link = MemoryTransport.pair()
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: Narrow(inner: link.sender, hesitates: hesitates),
            options: SenderOptions(policy: .reliable))
        let frames = try [2, 4].map { side in
            try Frame.filled(FrameFormat(width: side, height: side, pixelFormat: .gray8)) { UInt8($0) }
        }
        let running = try Background {
            var source = ScriptedSource(frames)
            return try sender.run(&source)
        }
        #expect(try receiver.next(until: .after(.seconds(30)))?.frame.byteCount == 4)
        let told = #expect(throws: FrameStreamingError.self) { try receiver.next(until: .after(.seconds(30))) }
        #expect(told?.code == .peerFailed && told?.message.contains("16 bytes are more than 10") == true)
        #expect(running.error(as: FrameStreamingError.self)?.code == .limitExceeded)
        let total = sender.summary.total
        #expect(total.acknowledged == 1 && total.failed == 1 && total.lost == 0)
    }
}
