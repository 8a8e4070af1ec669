import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingCore

/// A frame is sent by the thread that made it sendable, and by the link's own where the connection
/// does not take it at once.
@Suite(.ownThread(atOnce: 4)) struct ReceiverLinkTests {
    /// A connection that takes no frame without waiting, or breaks instead.
    final class Hesitant: Transport {
        private let base: MemoryTransport
        private let refused = Monitor(0)
        /// Frames by their numbers, and messages about the source, in
        /// the order in which they were sent.
        private let log = Monitor<[String]>([])
        private let breaksAt: UInt64

        /// - Parameter breaksAt: The number of the frame at which the connection breaks.
        init(_ base: MemoryTransport, breaksAt: UInt64 = .max) {
            self.base = base
            self.breaksAt = breaksAt
        }

        /// How often it refused to take a frame without waiting.
        var refusals: Int { refused.withLock { $0 } }
        var sent: [String] { log.withLock { $0 } }
        var peer: Peer { base.peer }

        func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
            if case .frame(_, let info) = message {
                if info.sequence == breaksAt { base.cut() }
                if info.sequence < breaksAt, deadline.hasPassed {
                    refused.withLock { $0 += 1 }
                    throw FrameStreamingError(.timedOut, "not without waiting")
                }
            }
            try base.send(message, until: deadline)
            switch message {
            case .frame(_, let info): log.withLock { $0.append("\(info.sequence)") }
            case .sourceLost: log.withLock { $0.append("lost") }
            case .sourceRestored: log.withLock { $0.append("restored") }
            default: break
            }
        }

        func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
            try base.receive(until: deadline)
        }

        func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
            try base.finish(goodbye, until: deadline)
        }

        func close() { base.close() }
    }

    @Test(arguments: [DeliveryPolicy.reliable, .latest], [1, 4])
    func aFrameThatIsNotTakenAtOnceIsSentLater(policy: DeliveryPolicy, window: Int) throws {
        let link = MemoryTransport.pair()
        let transport = Hesitant(link.sender)
        let collector = try FrameSenderTests.Collector(link.receiver)
        var source = ScriptedSource(try FrameSenderTests.frames(300), isLive: policy == .latest)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: transport,
            options: SenderOptions(policy: policy, window: .fixed(window)))
        let total = try sender.run(&source).total
        try collector.waitForEnd()
        #expect(transport.refusals > 0)
        #expect(collector.numbers.last == 299)
        #expect(collector.numbers == collector.numbers.sorted())
        #expect(collector.numbers.count == total.acknowledged)
        #expect(policy != .reliable || total.acknowledged == 300)
        #expect(total.produced == total.acknowledged + total.dropped.total)
    }

    @Test func aBreakWithoutAWaitingThreadIsReported() throws {
        let link = MemoryTransport.pair()
        let transport = Hesitant(link.sender, breaksAt: 5)
        let collector = try FrameSenderTests.Collector(link.receiver)
        var source = ScriptedSource(try FrameSenderTests.frames(100))
        var options = SenderOptions(policy: .reliable, window: 2)
        options.reconnection = .never
        let sender = try FrameSender(codec: IdentityCodec(), transport: transport, options: options)
        do {
            _ = try sender.run(&source)
            Issue.record("sent over a broken connection")
        } catch { #expect(error.code == .connectionLost) }
        try collector.waitForEnd()
        let total = sender.summary.total
        #expect(total.sent == 5)
        #expect(total.lost >= 1 && total.acknowledged + total.lost == 5)
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
        #expect(collector.failure.withLock { $0?.code } == .connectionLost)
    }

    /// A connection of a receiver that may come back with its session.
    private final class Resumable: Transport {
        private let base: MemoryTransport

        init(_ base: MemoryTransport) { self.base = base }

        var peer: Peer {
            var peer = base.peer
            peer.session = 7
            return peer
        }

        func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
            try base.send(message, until: deadline)
        }

        func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
            try base.receive(until: deadline)
        }

        func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
            try base.finish(goodbye, until: deadline)
        }

        func close() { base.close() }
    }

    /// Thousands of receivers may be away at once. Their time runs out
    /// even if the sender does not run.
    @Test func aReceiverThatIsAwayCostsNoThreadAndIsGivenUp() throws {
        struct Seen {
            var sender: FrameSender?
            var isConnected = false
            /// Whether each link had a thread when its connection was lost.
            var threads: [Bool] = []
            var failure: FrameStreamingError?
        }
        let limit = Deadline.after(.seconds(20)).nanoseconds
        let seen = Monitor(Seen())
        var options = SenderOptions(policy: .reliable)
        options.incomingReturnTimeout = .milliseconds(300)
        options.onEvent = { event in
            switch event {
            case .connected: seen.update { $0.isConnected = true }
            case .disconnected:
                let links = seen.withLock { $0.sender }?.control.withLock { $0.links } ?? []
                let threads = links.map { link in link.state.withLock { $0.thread != nil } }
                seen.update { $0.threads += threads }
            case .ended(_, let failure): seen.update { $0.failure = failure }
            default: break
            }
        }
        let sender = try FrameSender(codec: IdentityCodec(), options: options)
        seen.withLock { $0.sender = sender }
        defer { seen.withLock { $0.sender = nil } }
        let link = MemoryTransport.pair()
        let serving = try Background("serve") { try? sender.serve(Resumable(link.sender)) }
        #expect(seen.wait(until: limit) { $0.isConnected ? true : nil } == true)
        // The link is known to its sender behind the event.
        #expect(sender.control.wait(until: limit) { $0.links.isEmpty ? nil : true } == true)
        link.sender.cut()
        try serving.value()
        let failure = seen.wait(until: limit) { $0.failure }
        #expect(failure?.message.contains("did not come back within 0 s") == true, "\(String(describing: failure))")
        #expect(seen.withLock { $0.threads } == [false])
    }

    @Test func aCancelSaysNoGoodbye() throws {
        // Repeated often, because the link's thread may start before
        // or after the connection is closed.
        for _ in 0..<300 {
            let link = MemoryTransport.pair()
            let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender)
            sender.cancel()
            do {
                _ = try link.receiver.receive(until: .after(.seconds(20)))
                Issue.record("said goodbye: \(link.receiver.peer.goodbye?.text ?? "")")
                return
            } catch { #expect(error.code == .endedWithoutGoodbye) }
        }
    }

    @Test func noticesAboutTheSourceAreSentBeforeTheNextPicture() throws {
        let link = MemoryTransport.pair()
        let transport = Hesitant(link.sender)
        let frames = try FrameSenderTests.frames(40)
        let lost = FrameStreamingError(.sourceLost, "unplugged")
        var steps: [ScriptedSource.Step] = []
        for (number, frame) in frames.enumerated() {
            if number % 10 == 5 { steps += [.event(.lost(error: lost)), .event(.restored)] }
            steps.append(.event(.frame(frame)))
        }
        let collector = try FrameSenderTests.Collector(link.receiver)
        var source = ScriptedSource(steps: steps)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: transport, options: SenderOptions(policy: .reliable, window: 1))
        let total = try sender.run(&source).total
        try collector.waitForEnd()
        #expect(total.acknowledged == 40)
        let sent = transport.sent
        #expect(sent.filter { Int($0) == nil } == Array(repeating: ["lost", "restored"], count: 4).flatMap { $0 })
        let losses = sent.indices.filter { sent[$0] == "lost" }
        for (loss, number) in zip(losses, [6, 16, 26, 36]) {
            #expect(try loss < #require(sent.firstIndex(of: "\(number)")))
        }
    }
}
