import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// A sender that waits for receivers to connect, one after another: whatever one
/// receiver does, the next one is served.
@Suite(.ownThread(atOnce: 4)) struct WaitingProviderTests {
    enum Fault: CaseIterable {
        case acknowledgesWhatWasNotSent, acknowledgesTwice, takesCreditBack, violates, isTooSlow, takesNoSuchFrame
        case isClosed, breaks
    }

    /// Commits the fault against a sender that has sent a frame.
    private func commit(_ fault: Fault, _ link: (sender: MemoryTransport, receiver: MemoryTransport)) throws {
        guard case .frame(_, let info)? = try link.receiver.receive(until: .after(.seconds(20))) else { return }
        func say(_ sequence: UInt64, credit: UInt64) throws {
            let word = Acknowledgement(sequence: sequence, creditThrough: credit)
            try link.receiver.send(.acknowledgement(word), until: .after(.seconds(20)))
        }
        switch fault {
        case .acknowledgesWhatWasNotSent: try say(.max, credit: .max)
        case .acknowledgesTwice:
            try say(info.sequence, credit: 16)
            try say(info.sequence, credit: 16)
        case .takesCreditBack: try say(info.sequence, credit: 0)
        case .violates: link.sender.cut(FrameStreamingError(.protocolViolation, "rubbish"))
        case .isTooSlow: link.sender.cut(FrameStreamingError(.limitExceeded, "trickles"))
        case .takesNoSuchFrame: link.sender.cut(FrameStreamingError(.unsupported, "takes gray8 only"))
        case .isClosed: link.sender.close()
        case .breaks: link.receiver.close()
        }
    }

    @Test(arguments: Fault.allCases, [DeliveryPolicy.latest, .reliable])
    func whateverOneReceiverDoesTheNextOneIsServed(fault: Fault, policy: DeliveryPolicy) throws {
        let links = (0..<2).map { _ in MemoryTransport.pair() }
        let provider = ReconnectingSenderTests.ScriptedProvider(
            [.success(links[0].sender), .success(links[1].sender)], waitsForPeers: true)
        let reported = Monitor<[FrameStreamingError?]>([])
        var options = SenderOptions(policy: policy, window: 2)
        options.onEvent = { event in
            if case .disconnected(_, let error) = event { reported.update { $0.append(error) } }
            if case .ended = event { Issue.record("the listening has ended") }
        }
        let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
        let format = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8)
        let thread = try Background("the sender") {
            var source = EndlessSource(format: format)
            try sender.run(&source)
        }
        try commit(fault, links[0])
        let collector = try FrameSenderTests.Collector(links[1].receiver)
        try waitUntil { collector.received.withLock { $0.count } >= 3 }
        #expect(reported.withLock { $0.count } == 1 && reported.withLock { $0[0] } != nil)
        sender.stop()
        try thread.value()
        try collector.waitForEnd()
        let total = sender.summary.total
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
    }

    @Test(arguments: [FrameStreamingError.Code.protocolViolation, .rejected, .limitExceeded, .busy])
    func aHandshakeThatFailsIsThatPeersAlone(code: FrameStreamingError.Code) throws {
        let link = MemoryTransport.pair()
        let provider = ReconnectingSenderTests.ScriptedProvider(
            [.failure(FrameStreamingError(code, "no receiver")), .success(link.sender)], waitsForPeers: true)
        let waits = Monitor<[FrameStreamingError.Code]>([])
        var options = SenderOptions(policy: .reliable)
        // One connection, whenever it is made.
        options.reconnection = .never
        options.onEvent = { event in
            if case .waiting(_, let error, _) = event { waits.update { $0.append(error.code) } }
        }
        let collector = try FrameSenderTests.Collector(link.receiver)
        let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
        var source = ScriptedSource(try FrameSenderTests.frames(5))
        #expect(try sender.run(&source).total.acknowledged == 5)
        try collector.waitForEnd()
        #expect(waits.withLock { $0.contains(code) })
    }

    @Test func aListenerThatCannotGoOnEndsTheRun() throws {
        let error = FrameStreamingError(.closed, "the listening socket is broken", errno: 22)
        let provider = ReconnectingSenderTests.ScriptedProvider([.failure(error)], waitsForPeers: true)
        let ended = Monitor<FrameStreamingError?>(nil)
        var options = SenderOptions(policy: .latest)
        options.onEvent = { event in
            if case .ended(_, let failure) = event { ended.update { $0 = failure } }
        }
        let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
        var source = ScriptedSource(try FrameSenderTests.frames(5))
        #expect(throws: error) { try sender.run(&source) }
        #expect(ended.withLock { $0 } == error)
    }

    @Test func withoutReconnectionOneReceiverIsAll() throws {
        let links = (0..<2).map { _ in MemoryTransport.pair() }
        let provider = ReconnectingSenderTests.ScriptedProvider(
            [.success(links[0].sender), .success(links[1].sender)], waitsForPeers: true)
        var options = SenderOptions(policy: .latest)
        options.reconnection = .never
        let sender = try FrameSender(codec: IdentityCodec(), provider: provider, options: options)
        let format = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8)
        let thread = try Background("the sender") {
            var source = EndlessSource(format: format)
            #expect(throws: FrameStreamingError.self) { try sender.run(&source) }
        }
        try commit(.acknowledgesWhatWasNotSent, links[0])
        try thread.value()
        #expect(sender.summary.receivers[0].failure?.code == .protocolViolation)
        #expect(sender.summary.receivers[0].connections == 1)
    }
}
