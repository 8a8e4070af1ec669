import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// The package's own sender and receiver, with a proxy between them that cuts connections.
@Suite(.ownThread(atOnce: 4)) struct SenderResumingTests {
    private static let frames = 8

    /// Frames with their numbers as content.
    private struct Numbers: FrameSource {
        let isLive = false
        var next = 0

        mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
            guard next < frames else { return nil }
            next += 1
            do { return .frame(try makeFrame(UInt64(next), byteCount: 10)) } catch {
                throw FrameStreamingError(.invalidArgument, "\(error)")
            }
        }
    }

    private func consume(_ transport: TCPTransport, into consumed: Monitor<[UInt64]>) throws {
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
        while let received = try receiver.next() {
            consumed.update { $0.append(received.frame.sequence) }
        }
    }

    private func check(_ summary: SenderSummary, _ consumed: Monitor<[UInt64]>, _ what: String) {
        #expect(consumed.withLock { $0 } == Array(1...UInt64(Self.frames)), "\(what)")
        #expect(summary.total.produced == Self.frames && summary.total.acknowledged == Self.frames, "\(what)")
        #expect(summary.total.lost == 0 && summary.total.dropped.total == 0, "\(what)")
    }

    /// Options without PINGs. The proxy cuts after a number of bytes, and PINGs would shift a cut
    /// into the goodbye.
    private static var counted: TCPOptions {
        var options = TCPOptions()
        options.believesBootID = true
        return options
    }

    @Test(arguments: CuttingProxy.Direction.allCases)
    func eachFrameIsConsumedOnceWhereTheSenderConnects(_ direction: CuttingProxy.Direction) throws {
        for cuts in [[50], [84], [178], [200, 90], [460], [600, 300, 100], [837]] {
            let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary, options: Self.counted)
            let consumed = Monitor<[UInt64]>([])
            let serving = try Background {
                try listener.serve(onError: { _ in }) { try consume($0, into: consumed) }
            }
            let proxy = try CuttingProxy(to: listener.port, cuttingAfter: cuts, direction)
            let sender = try FrameSender(
                codec: IdentityCodec(),
                provider: TCPConnector(to: "127.0.0.1:\(proxy.port)", role: .sender, options: Self.counted),
                options: SenderOptions(policy: .reliable))
            var source = Numbers()
            let summary = try sender.run(&source)
            proxy.close()
            listener.stop()
            try serving.value()
            check(summary, consumed, "\(cuts)")
        }
    }

    @Test(arguments: CuttingProxy.Direction.allCases)
    func eachFrameIsConsumedOnceWhereTheReceiverConnects(_ direction: CuttingProxy.Direction) throws {
        for cuts in [[50], [84], [178], [200, 90], [460], [600, 300, 100], [837]] {
            let acceptor = try TCPAcceptor(on: "0", role: .sender, options: Self.counted)
            let proxy = try CuttingProxy(to: acceptor.port, cuttingAfter: cuts, direction)
            let sender = try FrameSender(
                codec: IdentityCodec(), provider: acceptor, options: SenderOptions(policy: .reliable))
            let receiver = try TCPConnector(
                to: "127.0.0.1:\(proxy.port)", role: .receiver, options: Self.counted)
            let sending = try Background {
                // If the goodbye itself is cut off, the receiver cannot know
                // that the sender will not return.
                defer { receiver.cancel() }
                var source = Numbers()
                return try sender.run(&source)
            }
            let consumed = Monitor<[UInt64]>([])
            try receiver.serve { try consume($0, into: consumed) }
            let summary = try sending.value()
            proxy.close()
            check(summary, consumed, "\(cuts)")
        }
    }
}
