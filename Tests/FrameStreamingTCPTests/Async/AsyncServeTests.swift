import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// The async forms of `serve`, of a connector and of a sender.
@Suite(.ownThread(atOnce: 1), .timeLimit(.minutes(30))) struct AsyncServeTests {
    private struct DiskIsFull: Error, CustomStringConvertible {
        var description: String { "the disk is full" }
    }

    /// A port with a sender that listens, and what its run comes to.
    private static func sender(frames: UInt64) throws -> (port: Int, run: Background<SenderSummary>) {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        let pictures = try (1...frames).map { try makeFrame($0) }
        let run = try Background {
            let sender = try FrameSender(
                codec: IdentityCodec(), provider: acceptor, options: SenderOptions(policy: .reliable))
            var source = ScriptedSource(pictures)
            return try sender.run(&source)
        }
        return (acceptor.port, run)
    }

    private static func connector(to port: Int, options: TCPOptions = TCPOptions()) throws -> TCPConnector {
        try TCPConnector(to: "127.0.0.1:\(port)", role: .receiver, options: options)
    }

    /// The receiver connects before its sender listens, and goes on after a cut.
    @Test func breaksAndAnEnd() async throws {
        let port = try RawListener().port
        var numbers: [UInt64] = []
        var reasons: [FrameStreamingError.Code?] = []
        var sending: Background<Void>?
        try await Self.connector(to: port).serve(
            onWaiting: { reason, _ in
                reasons.append(reason?.code)
                if sending == nil {
                    sending = try? Background {
                        try ResumingSender(connector: TCPAcceptor(on: "\(port)", role: .sender), frames: 6).run()
                    }
                }
            }
        ) { transport in
            let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
            for try await received in receiver.frames {
                numbers.append(received.frame.sequence)
                if numbers.count == 3 {
                    // The frame was not acknowledged, so it comes again.
                    receiver.cancel()
                    throw FrameStreamingError(.connectionLost, "for a test", subject: transport.peer.address)
                }
            }
        }
        try #require(sending).value()
        #expect(numbers == [1, 2, 3, 3, 4, 5, 6])
        #expect(reasons.first == .connectionFailed && reasons.last == .connectionLost)
        try await AsyncFormsTests.expectNoThreads()
    }

    @Test func aBodyThatThrowsTellsTheSender() async throws {
        let (port, run) = try Self.sender(frames: 100)
        await #expect(throws: DiskIsFull.self) {
            try await Self.connector(to: port).serve { transport in
                let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
                for try await received in receiver.frames where received.frame.sequence == 5 { throw DiskIsFull() }
            }
        }
        let error = run.error()
        #expect(error?.code == .peerFailed && error?.message == "the receiver failed: the disk is full")
        try await AsyncFormsTests.expectNoThreads()
    }

    @Test func aBodyThatReturnsIsComplete() async throws {
        let (port, run) = try Self.sender(frames: 100)
        try await Self.connector(to: port).serve { transport in
            let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
            for try await received in receiver.frames where received.frame.sequence == 5 { break }
        }
        let summary = try run.value()
        #expect(summary.receivers[0].peer.goodbye == .complete("connection no longer used"))
        #expect(summary.total.acknowledged == 4)
        try await AsyncFormsTests.expectNoThreads()
    }

    enum Point: CaseIterable { case beforeItBegins, connecting, pausing, inTheBody }

    @Test(arguments: Point.allCases) func aCancel(point: Point) async throws {
        let silent = try RawListener()
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        let port =
            switch point {
            case .beforeItBegins, .connecting: silent.port
            case .pausing: try RawListener().port
            case .inTheBody: acceptor.port
            }
        let (begun, signal) = AsyncStream.makeStream(of: Void.self)
        let connector = try Self.connector(to: port, options: .patient)
        let task = Task {
            if point == .beforeItBegins { while !Task.isCancelled { await Task.yield() } }
            if point == .connecting { signal.yield() }
            try await connector.serve(onWaiting: { _, _ in signal.yield() }) { transport in
                let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
                signal.yield()
                for try await _ in receiver.frames {}
            }
        }
        if point != .beforeItBegins {
            for await _ in begun { break }
        }
        task.cancel()
        try await task.value
        #expect(connector.isCancelled)
        if point == .inTheBody {
            let transport = try Background { try acceptor.nextTransport(until: soon()) }.value()
            #expect(try transport.receive(until: soon()) == nil)
            #expect(transport.peer.goodbye?.code == .stopped)
        }
        try await AsyncFormsTests.expectNoThreads()
    }

    /// The body runs where its caller does, so it may use what belongs there.
    @MainActor @Test func theBodyIsIsolatedAsItsCaller() async throws {
        let (port, run) = try Self.sender(frames: 3)
        var count = 0
        try await Self.connector(to: port).serve { transport in
            MainActor.assertIsolated()
            let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
            for try await _ in receiver.frames { count += 1 }
        }
        #expect(count == 3)
        let limit = soon()
        while !run.isDone {
            try #require(!limit.hasPassed, "the sender does not end")
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    @Test func aSenderServesUntilAConnectionHasEnded() async throws {
        let links = [MemoryTransport.pair(), MemoryTransport.pair()]
        let receivers = try links.map { try FrameReceiver(codec: IdentityCodec(), transport: $0.receiver, decode: nil) }
        var options = SenderOptions.patient(.latest)
        options.waitsForReceivers = true
        let sender = try FrameSender(codec: IdentityCodec(), options: options)
        async let first: Void = sender.serve(links[0].sender)
        let second = Task { try await sender.serve(links[1].sender) }
        try await AsyncFormsTests.wait("not both are served") { sender.summary.receivers.count == 2 }
        // The wait of the second ends with its task, and with it the connection.
        second.cancel()
        let error = await #expect(throws: FrameStreamingError.self) { try await second.value }
        #expect(error?.code == .cancelled)
        try await AsyncFormsTests.wait("its receiver does not hear of it") { receivers[1].end == .eof }
        #expect(receivers[0].end == nil)
        // The first ends when its receiver leaves.
        await receivers[0].close()
        try await first
        sender.cancel()
        try await AsyncFormsTests.expectNoThreads()
    }
}
