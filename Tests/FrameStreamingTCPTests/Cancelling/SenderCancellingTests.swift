import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// A cancel ends what a sender does while its receiver is frozen: it reads nothing and says nothing
/// until the test is over, and no limit of the sender's own is near.
@Suite(.ownThread(atOnce: 4)) struct SenderCancellingTests {
    /// Where the sender is when it is cancelled.
    enum Point: CaseIterable {
        /// No frame has come from the source.
        case waitingForTheSource
        /// The connection has not taken the frame whole.
        case inAMessage
        /// The source waits for room behind frames that are not acknowledged.
        case waitingForCredit
        /// The source has ended, and its frame is not acknowledged.
        case draining
        /// The source has ended, and the goodbye is not answered.
        case inAGoodbye
        /// As `inAGoodbye`, with ``FrameSender/stop(_:)`` before.
        case stopping
        /// The receiver said goodbye, and takes no bytes of the frame that is being sent, nor the
        /// answer behind it.
        case answering
        /// The same, and the receiver's next connection is waited for.
        case answeringAndReconnecting
    }

    private static func source(_ point: Point) throws -> any FrameSource {
        switch point {
        case .waitingForTheSource, .stopping: StallingSource(isLive: false)
        case .inAMessage, .answering, .answeringAndReconnecting:
            StallingSource(isLive: false, first: try makeFrame(1, byteCount: 500_000))
        case .waitingForCredit: ScriptedSource(try (1...100).map { try makeFrame($0) })
        case .draining: ScriptedSource([try makeFrame(1)])
        case .inAGoodbye: ScriptedSource([])
        }
    }

    @Test(arguments: Point.allCases) func aRun(point: Point) throws {
        let (transport, peer) = try makeRawPair(.sender, options: .patient, bufferSize: 4096)
        let provider = SingleTransportProvider(transport)
        let options = SenderOptions.patient(.reliable)
        let sender =
            point == .answeringAndReconnecting
            ? try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
            : try FrameSender(codec: IdentityCodec(), transport: transport, options: options)
        let running = try Background {
            var source = try Self.source(point)
            try sender.run(&source)
        }
        func wait(_ what: String, _ condition: (SenderSummary.Receiver) -> Bool) throws {
            try waitUntil(what) { sender.summary.receivers.first.map(condition) ?? false }
        }
        switch point {
        case .waitingForTheSource: try wait("a connection") { $0.connections == 1 }
        case .inAMessage, .draining: try wait("a frame is sent") { $0.statistics.produced == 1 }
        case .waitingForCredit: try wait("the window is full") { $0.statistics.produced >= 4 }
        case .inAGoodbye: #expect(peer.receive(1).first == Bye("").marshal().first)
        case .stopping:
            try wait("a connection") { $0.connections == 1 }
            sender.stop()
            #expect(peer.receive(1).first == Bye("").marshal().first)
        case .answering, .answeringAndReconnecting:
            try wait("a frame is sent") { $0.statistics.produced == 1 }
            peer.send(Bye(.stopped("restarted")).marshal())
            try wait("the goodbye is heard") { $0.peer.goodbye != nil }
        // The next connection may be awaited by now, or only after the frame that is being written.
        }
        sender.cancel()
        #expect(running.error()?.code == .cancelled)
        let total = sender.summary.total
        #expect(
            total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost, "\(total)")
        withExtendedLifetime(peer) {}
    }

    @Test func oneThatIsHandedItsFrames() throws {
        let (transport, peer) = try makeRawPair(.sender, options: .patient, bufferSize: 4096)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: transport, options: .patient(.reliable))
        #expect(try sender.trySend(makeFrame(1, byteCount: 500_000)) == .sent)
        let finishing = try Background { try sender.finish() }
        sender.cancel()
        #expect(finishing.error()?.code == .cancelled)
        #expect(try sender.trySend(makeFrame(2)) == .ended)
        withExtendedLifetime(peer) {}
    }

    @Test(arguments: [true, false]) func oneWithTheTextHandshake(isAnnounced: Bool) throws {
        let (transport, peer) = try makeRawPair(.sender, handshake: .text, options: .patient)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: transport, options: .patient(.reliable))
        let running = try Background {
            var source = StallingSource(isLive: false, first: try makeFrame(bytes: jpegBytes(width: 8, height: 8)))
            try sender.run(&source)
        }
        if isAnnounced { #expect(!peer.receiveOnce(16).isEmpty) }
        sender.cancel()
        #expect(running.error()?.code == .cancelled)
        withExtendedLifetime(peer) {}
    }

    /// What the provider does when the run is cancelled.
    enum Attempt: CaseIterable { case nobodyAnswers, inAHandshake, refused, noReceiver }

    @Test(arguments: Attempt.allCases) func aRunThatHasNoConnection(_ attempt: Attempt) throws {
        let silent = try attempt == .nobodyAnswers ? SilentAddress() : nil
        let listener = try RawListener()
        let refused = try RawListener().port
        let port =
            switch attempt {
            case .nobodyAnswers: silent?.port ?? 0
            case .refused: refused
            case .inAHandshake, .noReceiver: listener.port
            }
        let waits = Monitor(0)
        var options = SenderOptions.patient(.latest)
        options.waitsForReceivers = true
        options.onEvent = { event in
            if case .waiting = event { waits.update { $0 += 1 } }
        }
        let sender = try FrameSender(codec: IdentityCodec(), options: options)
        if attempt != .noReceiver {
            try sender.add(TCPConnector(to: "127.0.0.1:\(port)", role: .sender, options: .patient))
        }
        let running = try Background {
            var source = StallingSource(isLive: true)
            try sender.run(&source)
        }
        if attempt == .refused { try waitUntil("it waits for the next attempt") { waits.withLock { $0 } > 0 } }
        if attempt == .inAHandshake { #expect(listener.accept().receive(1) == [WireType.hello.rawValue]) }
        sender.cancel()
        #expect(running.error()?.code == .cancelled)
    }
}
