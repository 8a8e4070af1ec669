import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// A sender that outlives its connections.
@Suite(.ownThread(atOnce: 4)) struct ReconnectingSenderTests {
    /// Returns what a script lists: connections in memory, or failures.
    final class ScriptedProvider: TransportProvider {
        typealias Step = Result<MemoryTransport, FrameStreamingError>

        let address = "script"
        let waitsForPeers: Bool
        private let steps: Monitor<[Step]>
        private let isCancelled = Monitor(false)

        init(_ steps: [Step], waitsForPeers: Bool = false) {
            self.steps = Monitor(steps)
            self.waitsForPeers = waitsForPeers
        }

        func add(_ step: Step) { steps.update { $0.append(step) } }

        func nextTransport(until deadline: Deadline) throws(FrameStreamingError) -> any Transport {
            let step: Step? = steps.wait(until: MonotonicTime.now.advanced(by: .milliseconds(20)).nanoseconds) {
                steps in
                steps.isEmpty ? nil : steps.removeFirst()
            }
            if isCancelled.withLock({ $0 }) { throw FrameStreamingError(.cancelled, "cancelled") }
            guard let step else { throw FrameStreamingError(.connectionFailed, "nobody listens") }
            return try step.get()
        }

        func cancel() { isCancelled.update { $0 = true } }
    }

    /// Takes frames from the connection and acknowledges all but the last, then cuts it.
    private func takeAndCut(_ link: (sender: MemoryTransport, receiver: MemoryTransport), frames: Int) throws
        -> [UInt64]
    {
        var taken: [UInt64] = []
        while taken.count < frames {
            guard case .frame(let frame, let info)? = try link.receiver.receive(until: .after(.seconds(20))) else {
                break
            }
            taken.append(frame.sequence)
            if taken.count < frames {
                let word = Acknowledgement(sequence: info.sequence, creditThrough: info.sequence + 16)
                try link.receiver.send(.acknowledgement(word), until: .after(.seconds(20)))
            }
        }
        // The acknowledgements must have been read: a cut loses what is in flight.
        return taken
    }

    @Test func aReceiverThatBreaksEveryConnectionIsWaitedFor() throws {
        let links = (0..<4).map { _ in MemoryTransport.pair() }
        for link in links.dropLast() { link.sender.cut() }
        let collector = try FrameSenderTests.Collector(links[3].receiver)
        let provider = ScriptedProvider(links.map { .success($0.sender) })
        let events = Monitor<[String]>([])
        var options = SenderOptions(policy: .reliable)
        options.onEvent = { event in
            switch event {
            case .connected: events.withLock { $0.append("connected") }
            case .disconnected: events.withLock { $0.append("disconnected") }
            case .waiting(_, let error, let wait):
                #expect(error.code == .connectionLost && wait >= .zero && wait <= .seconds(8))
                events.withLock { $0.append("waiting") }
            case .requested, .refused, .stalled, .ended, .sourceDamaged, .sourceHeldUp: break
            }
        }
        let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
        var source = ScriptedSource(try FrameSenderTests.frames(10))
        try sender.run(&source)
        try collector.waitForEnd()
        #expect(collector.numbers == Array(0..<10))
        // The polling thread reports the break, possibly before the other
        // thread has reported the connection.
        let ofOneThread = events.withLock { $0.filter { $0 != "disconnected" } }
        #expect(ofOneThread == Array(repeating: ["connected", "waiting"], count: 3).flatMap { $0 } + ["connected"])
        #expect(events.withLock { $0.count { $0 == "disconnected" } } == 3)
    }

    @Test func aListeningSenderWaitsForItsOnlyReceiver() throws {
        let link = MemoryTransport.pair()
        let nobody = FrameStreamingError(.timedOut, "nobody came")
        let provider = ScriptedProvider(
            [.failure(nobody), .failure(nobody), .success(link.sender)], waitsForPeers: true)
        var options = SenderOptions(policy: .reliable)
        options.reconnection = .never
        let collector = try FrameSenderTests.Collector(link.receiver)
        let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
        var source = ScriptedSource(try FrameSenderTests.frames(5))
        let total = try sender.run(&source).total
        try collector.waitForEnd()
        #expect(total.acknowledged == 5 && collector.numbers == Array(0..<5))
    }

    @Test func underReliableWhatWasNotAcknowledgedIsSentAgainFirst() throws {
        let first = MemoryTransport.pair()
        let second = MemoryTransport.pair()
        let provider = ScriptedProvider([
            .failure(FrameStreamingError(.connectionFailed, "not yet")), .success(first.sender),
        ])
        let events = Monitor<[String]>([])
        var options = SenderOptions(policy: .reliable, window: 3)
        options.onEvent = { event in
            switch event {
            case .connected: events.update { $0.append("connected") }
            case .disconnected: events.update { $0.append("disconnected") }
            case .waiting(let address, let error, _):
                events.update {
                    if $0.last != "waiting" { $0.append("waiting") }; _ = (address, error)
                }
            case .requested, .refused, .stalled, .ended, .sourceDamaged, .sourceHeldUp: break
            }
        }
        let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
        let frames = try FrameSenderTests.frames(20)
        let thread = try Background("the sender") {
            var source = ScriptedSource(frames)
            try sender.run(&source)
        }
        let before = try takeAndCut(first, frames: 6)
        #expect(before == [0, 1, 2, 3, 4, 5])
        try waitUntil { sender.summary.total.acknowledged == 5 }
        let collector = try FrameSenderTests.Collector(second.receiver)
        provider.add(.success(second.sender))
        first.sender.cut()
        try thread.value()
        try collector.waitForEnd()
        // The sixth was not acknowledged, so it comes again: this connection has no
        // session that would say otherwise.
        #expect(collector.numbers == Array(5..<20))
        let total = sender.summary.total
        #expect(total.produced == 20 && total.acknowledged == 20 && total.lost == 0)
        #expect(total.resent >= 1 && total.resent <= 3)
        #expect(sender.summary.receivers.count == 1 && sender.summary.receivers[0].connections == 2)
        #expect(sender.summary.receivers[0].end == .bye)
        let heard = events.withLock { $0 }
        #expect(heard.first == "waiting" && heard.filter { $0 == "connected" }.count == 2)
        #expect(heard.filter { $0 == "disconnected" }.count == 1)
    }

    @Test func underLatestNothingIsReplayed() throws {
        let first = MemoryTransport.pair()
        let second = MemoryTransport.pair()
        let provider = ScriptedProvider([.success(first.sender)])
        let sender = try FrameSender(
            codec: IdentityCodec(), provider: provider, options: SenderOptions(policy: .latest, window: 2))
        let format = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8)
        let thread = try Background("the sender") {
            var source = EndlessSource(format: format)
            try sender.run(&source)
        }
        let before = try takeAndCut(first, frames: 4)
        try waitUntil { sender.summary.total.acknowledged == 3 }
        first.sender.cut()
        try waitUntil { sender.summary.total.lost > 0 }
        let collector = try FrameSenderTests.Collector(second.receiver)
        provider.add(.success(second.sender))
        try waitUntil { collector.received.withLock { $0.count } >= 5 }
        sender.stop()
        try thread.value()
        try collector.waitForEnd()
        let after = collector.numbers
        #expect(after.allSatisfy { $0 > (before.last ?? 0) } && after == after.sorted())
        let total = sender.summary.total
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
        #expect(total.resent == 0)
    }

    @Test func aGoodbyeEndsUnlessTheReceiverMayComeBack() throws {
        for reconnection in [Reconnection.afterBreak, .always] {
            let first = MemoryTransport.pair()
            let second = MemoryTransport.pair()
            let provider = ScriptedProvider([.success(first.sender), .success(second.sender)])
            var options = SenderOptions(policy: .reliable)
            options.reconnection = reconnection
            let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
            let one = try FrameSenderTests.Collector(first.receiver, limit: 4)
            let two = try FrameSenderTests.Collector(second.receiver)
            var source = ScriptedSource(try FrameSenderTests.frames(30))
            let total = try sender.run(&source).total
            try one.waitForEnd()
            if reconnection == .afterBreak { second.sender.close() }
            try two.waitForEnd()
            #expect(one.numbers == [0, 1, 2, 3])
            // Each frame arrives once, over both connections.
            #expect(two.numbers == (reconnection == .always ? Array(4..<30) : []))
            #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
        }
    }

    @Test(arguments: [FrameStreamingError.Code.rejected, .invalidArgument, .protocolViolation])
    func whatWillNotPassEndsTheRun(code: FrameStreamingError.Code) throws {
        let error = FrameStreamingError(code, "no")
        let sender = try FrameSender(
            codec: IdentityCodec(), provider: ScriptedProvider([.failure(error)]),
            options: SenderOptions(policy: .reliable))
        var source = ScriptedSource(try FrameSenderTests.frames(3))
        #expect(throws: error) { try sender.run(&source) }
    }

    @Test func withoutReconnectionTheFirstFailureIsTheEnd() throws {
        let error = FrameStreamingError(.connectionFailed, "nobody listens")
        var options = SenderOptions()
        options.reconnection = .never
        let sender = try FrameSender(
            codec: IdentityCodec(), provider: ScriptedProvider([.failure(error)]), options: options)
        var source = ScriptedSource(try FrameSenderTests.frames(3))
        #expect(throws: error) { try sender.run(&source) }
    }

    @Test func nothingIsTakenFromTheSourceBeforeThereIsAReceiver() throws {
        let provider = ScriptedProvider([])
        let attempts = Monitor(0)
        var options = SenderOptions(policy: .latest)
        options.onEvent = { event in
            if case .waiting = event { attempts.update { $0 += 1 } }
        }
        let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
        let frames = try FrameSenderTests.frames(3)
        let thread = try Background("the sender") {
            var source = ScriptedSource(frames, isLive: true)
            try sender.run(&source)
        }
        try waitUntil { attempts.withLock { $0 } >= 2 }
        #expect(sender.summary.total.produced == 0)
        let link = MemoryTransport.pair()
        let collector = try FrameSenderTests.Collector(link.receiver)
        provider.add(.success(link.sender))
        try thread.value()
        try collector.waitForEnd()
        #expect(sender.summary.total.produced == 3 && collector.numbers.last == 2)
    }

    /// Before the first connection no frame was taken; after a break under
    /// `reliable` the frames taken are lost.
    @Test(arguments: [false, true], [false, true]) func stopAndCancelEndTheWaitForAReceiver(
        cancels: Bool, hadOne: Bool
    ) throws {
        let link = MemoryTransport.pair()
        let sender = try FrameSender(
            codec: IdentityCodec(), provider: ScriptedProvider(hadOne ? [.success(link.sender)] : []),
            options: SenderOptions(policy: .reliable))
        let frames = try FrameSenderTests.frames(30)
        let failure = Monitor<FrameStreamingError?>(nil)
        let thread = try Background("the sender") {
            var source = ScriptedSource(frames)
            do throws(FrameStreamingError) { try sender.run(&source) } catch { failure.update { $0 = error } }
        }
        if hadOne {
            try waitUntil { sender.summary.total.sent > 0 }
            link.sender.cut()
        }
        if cancels { sender.cancel() } else { sender.stop() }
        try thread.value()
        let total = sender.summary.total
        #expect(total.produced == total.dropped.total + total.lost + total.failed)
        #expect(hadOne || total.produced == 0)
        if cancels { #expect(failure.withLock { $0 }?.code == .cancelled) }
        if hadOne, !cancels { #expect(failure.withLock { $0 } != nil) }
    }
}
