import Foundation
import FrameStreaming
import FrameStreamingSystem
import TestThreads
import Testing

/// A sender that listens, with receivers that lose their connections and come back.
@Suite(.ownThread(atOnce: 4)) struct ListeningSenderTests {
    /// Receives over as many connections as it takes, breaking each of
    /// the first ones after some frames.
    private final class Breaking: Sendable {
        let numbers = Monitor<[UInt64]>([])
        let failure = Monitor<String?>(nil)
        private let receiving: Background<Void>

        /// - Parameter breaks: After how many frames each connection is closed
        ///   without a word; the last one lasts.
        init(_ address: String, breaks: [Int]) throws {
            let (numbers, failure) = (numbers, failure)
            receiving = try Background("the receiver") {
                do {
                    let connector = try TCPConnector(to: address, role: .receiver)
                    var left = breaks[...]
                    try connector.serve { transport in
                        let limit = left.popFirst() ?? .max
                        let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport, decode: nil)
                        var count = 0
                        while count < limit, let received = try receiver.next() {
                            numbers.update { $0.append(received.frame.sequence) }
                            count += 1
                        }
                        guard count == limit else { return }
                        // The last frame counts as consumed, although the connection
                        // closes before the sender learns it.
                        transport.close()
                        receiver.close()
                        throw FrameStreamingError(.connectionLost, "cut by the test")
                    }
                } catch {
                    failure.update { $0 = "\(error)" }
                }
            }
        }

        func waitForEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
            try receiving.value(sourceLocation: sourceLocation)
        }
    }

    @Test func eachReceiverGoesOnWithItsOwnFrames() throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .sender, handshake: .binary)
        var options = SenderOptions(policy: .reliable, window: 4)
        options.waitsForReceivers = true
        let sender = try FrameSender(codec: JPEGCodec(), options: options)
        let serving = try Background("the listener") {
            try? listener.serve(onError: { _ in }) { try sender.serve($0) }
        }
        let receivers = try [[3, 5, 1], [], [7]].map { try Breaking(listener.address, breaks: $0) }
        // All of them are connected before the first picture is made.
        try waitUntil("three receivers") { sender.summary.receivers.count { $0.connections > 0 } == 3 }
        var source = try TestPatternSource(width: 64, height: 48, live: false, pace: .maximum, frameCount: 60)
        let summary = try sender.run(&source)
        for receiver in receivers {
            try receiver.waitForEnd()
            #expect(receiver.failure.withLock { $0 } == nil)
            #expect(receiver.numbers.withLock { $0 } == Array(0..<60))
        }
        listener.close()
        try serving.value()
        #expect(summary.receivers.count == 3)
        #expect(summary.receivers.map(\.connections).sorted() == [1, 2, 4])
        #expect(summary.receivers.allSatisfy { $0.end == .bye && $0.statistics.acknowledged == 60 })
        #expect(summary.total.lost == 0)
    }
}
