import FrameStreaming
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// Receivers that connect to a listening sender, and how the others fare when one dies.
@Suite(.ownThread(atOnce: 4)) struct IncomingReceiverTests {
    /// A sender that listens, and the ends of receivers that it reported.
    private final class Listening: Sendable {
        let listener: TCPListener
        let sender: FrameSender
        let ends = Monitor<[FrameStreamingError?]>([])
        let errors = Monitor<[FrameStreamingError.Code]>([])
        private let serving: Background<Void>

        init(
            _ policy: DeliveryPolicy = .reliable, maximumConnections: Int = 16,
            _ change: (inout SenderOptions) -> Void = { _ in }
        ) throws {
            let listener = try TCPListener(on: "127.0.0.1:0", role: .sender, handshake: .binary)
            var options = SenderOptions(policy: policy, window: 2)
            options.waitsForReceivers = true
            // A receiver on a busy machine is no receiver that stalls.
            options.incomingStallTimeout = .seconds(60)
            change(&options)
            let ends = ends
            options.onEvent = { event in
                if case .ended(_, let error) = event { ends.update { $0.append(error) } }
            }
            let sender = try FrameSender(codec: JPEGCodec(), options: options)
            let errors = errors
            serving = try Background("the listener") {
                try? listener.serve(sender, maximumConnections: maximumConnections) { error in
                    guard let error = error as? FrameStreamingError else { return }
                    errors.update { $0.append(error.code) }
                }
            }
            (self.listener, self.sender) = (listener, sender)
        }

        func connect() throws -> TCPTransport {
            try TCPTransport.connect(to: listener.address, role: .receiver, until: .after(.seconds(30)))
        }

        func close() throws {
            listener.close()
            try serving.value()
        }
    }

    private func bytes(_ frame: Frame) -> [UInt8] { unsafe frame.withUnsafeBytes { unsafe Array($0) } }

    private func receive(_ transport: TCPTransport) throws -> (Background<Void>, Monitor<[UInt64]>) {
        let numbers = Monitor<[UInt64]>([])
        let thread = try Background("the receiver") {
            do {
                let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport, decode: nil)
                while let received = try receiver.next() { numbers.update { $0.append(received.frame.sequence) } }
            } catch { Issue.record(error) }
        }
        return (thread, numbers)
    }

    /// Runs a source of 60 pictures to a good receiver and one that does `harm`,
    /// and returns the bad one's failure.
    private func beside(
        _ listening: Listening, _ harm: (TCPTransport) throws -> Void
    ) throws -> FrameStreamingError? {
        let good = try listening.connect()
        let bad = try listening.connect()
        try waitUntil("the receivers") { listening.sender.summary.receivers.count == 2 }
        let (thread, numbers) = try receive(good)
        let sender = listening.sender
        let run = try Background("the sender") {
            do {
                var source = try TestPatternSource(width: 64, height: 48, live: false, pace: .maximum, frameCount: 60)
                try sender.run(&source)
            } catch { Issue.record(error) }
        }
        try harm(bad)
        try run.value()
        try thread.value()
        #expect(numbers.withLock { $0 } == Array(0..<60))
        try listening.close()
        let connections = sender.summary.receivers
        #expect(connections.count { $0.end == .bye && $0.statistics.acknowledged == 60 } == 1)
        for statistics in connections.map(\.statistics) {
            #expect(
                statistics.produced == statistics.acknowledged + statistics.dropped.total + statistics.failed
                    + statistics.lost)
        }
        let failures = connections.compactMap(\.failure)
        #expect(failures.count == 1)
        // The failure was reported when it happened, and not only at the end.
        #expect(listening.ends.withLock { $0 } == [failures.first])
        return failures.first
    }

    @Test func oneThatBreaksAndDoesNotComeBackIsGivenUpAndTheOtherHasEverything() throws {
        let listening = try Listening { $0.incomingReturnTimeout = .milliseconds(300) }
        let failure = try beside(listening) { $0.close() }
        #expect(failure?.message.contains("did not come back within") == true, "\(failure as Any)")
    }

    @Test func oneThatStandsStillIsGivenUpAndTheOtherHasEverything() throws {
        let listening = try Listening { options in
            options.incomingStallTimeout = .seconds(1)
            options.finishTimeout = .milliseconds(300)
        }
        let stalled = Monitor<TCPTransport?>(nil)
        let failure = try beside(listening) { bad in stalled.withLock { $0 = bad } }
        #expect(failure?.code == .timedOut)
        #expect(failure?.message.contains("acknowledged nothing for 1 s") == true, "\(failure as Any)")
        #expect(failure?.message.contains("incomingStallTimeout") == true, "\(failure as Any)")
    }

    @Test func aReceiverBeyondTheLimitIsRefusedUntilAPlaceIsFree() throws {
        let listening = try Listening(.latest, maximumConnections: 1)
        let first = try listening.connect()
        let refused = #expect(throws: FrameStreamingError.self) { _ = try listening.connect() }
        #expect(refused?.code == .busy)
        #expect(listening.errors.withLock { $0 } == [.busy])
        first.close()
        var second: TCPTransport?
        try waitUntil("a free place") {
            second = try? listening.connect()
            return second != nil
        }
        second?.close()
        listening.sender.cancel()
        try listening.close()
    }

    /// A receiver's goodbye is answered, and its place is free afterwards.
    @Test func aReceiverThatLeavesIsAnsweredAndReturnsItsPlace() throws {
        let listening = try Listening(.latest, maximumConnections: 1)
        for _ in 0..<3 {
            var transport: TCPTransport?
            try waitUntil("a free place") {
                transport = try? listening.connect()
                return transport != nil
            }
            let left = try #require(transport)
            try left.finish("that is enough", until: .after(.seconds(30)))
        }
        try waitUntil("the ends") { listening.ends.withLock { $0.count } == 3 }
        #expect(listening.ends.withLock { $0.allSatisfy { $0 == nil } })
        #expect(listening.sender.summary.receivers.allSatisfy { $0.end == .bye })
        listening.sender.cancel()
        try listening.close()
    }

    /// Frames of 3 MB, no two alike, and none with two alike parts.
    private static func largePictures(_ count: Int) throws -> [Frame] {
        let format = try FrameFormat(width: 1600, height: 1200, pixelFormat: .jpeg)
        let words = 375_000
        let pool = FramePool(capacity: count)
        return try (0..<count).map { number in
            var buffer = pool.buffer(byteCount: words * 8)
            var bytes = buffer.bytes
            for word in 0..<words {
                bytes.storeBytes(of: UInt64(word &* 0x9E37_79B9 &+ number), toByteOffset: word * 8, as: UInt64.self)
            }
            return try buffer.makeFrame(format: format, sequence: UInt64(number))
        }
    }

    /// A frame larger than the connection takes at once: the rest is sent when there is room.
    @Test(arguments: [DeliveryPolicy.reliable, .latest]) func largePicturesArriveWhole(policy: DeliveryPolicy) throws {
        // Made before the connection is: a sanitizer takes longer for them than a peer may be silent.
        let pictures = try Self.largePictures(12)
        let listening = try Listening(policy)
        let transport = try listening.connect()
        let received = Monitor<[Frame]>([])
        let thread = try Background("the receiver") {
            do {
                let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport, decode: nil)
                while let frame = try receiver.next()?.frame { received.update { $0.append(frame) } }
            } catch { Issue.record(error) }
        }
        try waitUntil("the receivers") { listening.sender.summary.receivers.count == 1 }
        let sender = listening.sender
        let running = try Background("the sender") {
            var source = ScriptedSource(pictures)
            return try sender.run(&source).total
        }
        let total = try running.value()
        try thread.value()
        try listening.close()
        let frames = received.withLock { $0 }
        #expect(frames.count == total.acknowledged && frames.last?.sequence == 11)
        #expect(policy != .reliable || frames.count == 12)
        for frame in frames { #expect(bytes(frame) == bytes(pictures[Int(frame.sequence)])) }
    }
}
