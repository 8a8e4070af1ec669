import FrameStreamingCore
import FrameStreamingTesting
import TestThreads
import Testing

/// A connection that takes no acknowledgement, while the thread that reads sees no error.
@Suite(.ownThread(atOnce: 4)) struct UnheardAcknowledgementTests {
    private final class Deaf: Transport {
        private let base: MemoryTransport
        private let failure: FrameStreamingError

        init(_ base: MemoryTransport, _ failure: FrameStreamingError) {
            self.base = base
            self.failure = failure
        }

        var peer: Peer { base.peer }

        func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) { throw failure }

        func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
            try base.receive(until: deadline)
        }

        func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
            try base.finish(goodbye, until: deadline)
        }

        func close() { base.close() }
    }

    private func send(_ count: UInt64, over transport: MemoryTransport) throws {
        for number in 1...count {
            let format = try FrameFormat(width: 2, height: 2, pixelFormat: .gray8)
            let frame = try Frame.filled(format, sequence: number) { _ in 1 }
            try transport.send(.frame(frame, FrameInfo(sequence: number)), until: .after(.seconds(20)))
        }
    }

    @Test(arguments: [FrameStreamingError.Code.connectionLost, .timedOut, .system])
    func theWaitForTheNextFrameEnds(code: FrameStreamingError.Code) throws {
        let link = MemoryTransport.pair()
        try send(3, over: link.sender)
        let receiver = try FrameReceiver(
            codec: IdentityCodec(),
            transport: Deaf(link.receiver, FrameStreamingError(code, "nobody takes it")), decode: nil)
        // The frames that have arrived are delivered nevertheless.
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(try receiver.next(until: .after(.seconds(20)))?.frame.sequence == number)
        }
        var ended: FrameStreamingError?
        do throws(FrameStreamingError) { _ = try receiver.next(until: .never) } catch { ended = error }
        #expect(ended?.code == .connectionLost)
        #expect(receiver.statistics.frames == 3)
    }

    @Test func aGoodbyeThatHasArrivedIsTheEnd() throws {
        let link = MemoryTransport.pair()
        try send(1, over: link.sender)
        let receiver = try FrameReceiver(
            codec: IdentityCodec(),
            transport: Deaf(link.receiver, FrameStreamingError(.connectionLost, "nobody takes it")), decode: nil)
        #expect(try receiver.next(until: .after(.seconds(20))) != nil)
        let leaving = try Background("the sender that leaves") {
            try? link.sender.finish("that was all", until: .after(.seconds(20)))
        }
        try waitUntil("the goodbye") { receiver.peer.goodbye != nil }
        #expect(try receiver.next(until: .after(.seconds(20))) == nil)
        try leaving.value()
        #expect(receiver.peer.goodbye == "that was all")
    }
}
