import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import Foundation
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// The async forms of the calls that block. All tasks of a test run on one thread: a form that
/// blocked it would hang the test.
@Suite(.ownThread(atOnce: 1), .timeLimit(.minutes(30))) struct AsyncFormsTests {
    /// Waits, without blocking, until the threads of the async forms have ended.
    static func expectNoThreads(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let limit = soon()
        while true {
            let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
            // Foundation's readers leak their buffer when a thread ends while its name is read.
            let names = tasks.compactMap { task -> String? in
                guard let file = try? Descriptor.openNonBlocking("/proc/self/task/\(task)/comm"),
                    let name = try? file.readAll(limit: 64)
                else { return nil }
                return String(decoding: name, as: UTF8.self)
            }
            let left = names.filter { Self.threads.contains($0.dropLast()) }
            if left.isEmpty { return }
            try #require(!limit.hasPassed, "threads are left: \(left)", sourceLocation: sourceLocation)
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The names of the threads.
    private static let threads: Set<Substring> = [
        "fs-run", "fs-finish", "fs-serve", "fs-connect", "fs-await", "fs-close", "fs-request",
    ]

    /// Waits for a condition without blocking.
    static func wait(
        _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool
    ) async throws {
        let limit = soon()
        while !condition() {
            try #require(!limit.hasPassed, what, sourceLocation: sourceLocation)
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private static func receive(_ transport: TCPTransport) async throws -> [UInt64] {
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
        var numbers: [UInt64] = []
        for try await received in receiver.frames { numbers.append(received.frame.sequence) }
        return numbers
    }

    /// Far more calls at once than there are threads for tasks.
    @Test func sixteenStreamsAtOnce() async throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .automatic)
        let address = listener.address
        let (sent, received) = try await withThrowingTaskGroup(of: (Int, [UInt64]).self) { group in
            for _ in 0..<16 {
                group.addTask {
                    let transport = try await TCPTransport.connect(to: address, role: .sender, until: soon())
                    var source = ScriptedSource(try (1...20).map { try makeFrame($0) })
                    let sender = try FrameSender(
                        codec: IdentityCodec(), transport: transport, options: SenderOptions(policy: .reliable))
                    return (try await sender.run(&source).total.acknowledged, [])
                }
            }
            var count = 0
            for try await transport in listener.connections {
                group.addTask { (0, try await Self.receive(transport)) }
                count += 1
                if count == 16 { break }
            }
            var (sent, received) = (0, 0)
            for try await (acknowledged, numbers) in group {
                sent += acknowledged
                if !numbers.isEmpty {
                    received += 1
                    #expect(numbers == Array(1...20))
                }
            }
            return (sent, received)
        }
        #expect(sent == 16 * 20 && received == 16)
        try await Self.expectNoThreads()
    }

    @Test func framesThatAreHandedOver() async throws {
        let link = MemoryTransport.pair()
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: link.sender, options: SenderOptions(policy: .reliable))
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver, decode: nil)
        for number in 1...4 as ClosedRange<UInt64> { #expect(try sender.trySend(makeFrame(number)) != .ended) }
        async let summary = sender.finish(.complete("four"))
        var numbers: [UInt64] = []
        for try await received in receiver.frames { numbers.append(received.frame.sequence) }
        #expect(numbers == [1, 2, 3, 4] && link.receiver.peer.goodbye == .complete("four"))
        #expect(try await summary.total.acknowledged == 4)
        let again = await #expect(throws: FrameStreamingError.self) { try await sender.finish() }
        #expect(again?.code == .invalidArgument)
        try await Self.expectNoThreads()
    }

    private struct FailingSource: FrameSource {
        let isLive = false
        var asked = 0

        mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
            asked += 1
            throw FrameStreamingError(.sourceLost, "no lens")
        }
    }

    /// The task gets the error, and its variable has the source as the run has left it.
    @Test func errorsAndTheSourceComeBack() async throws {
        let link = MemoryTransport.pair()
        let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver, decode: nil)
        let receiving = Task { for try await _ in receiver.frames {} }
        var source = FailingSource()
        do {
            try await sender.run(&source)
            Issue.record("no error")
        } catch { #expect(error.message == "no lens" && source.asked == 1) }
        let said = await #expect(throws: FrameStreamingError.self) { try await receiving.value }
        #expect(said?.code == .peerFailed)
        do {
            try await sender.run(&source)
            Issue.record("a second run")
        } catch { #expect(error.code == .invalidArgument && source.asked == 1) }

        let refused = try RawListener().port
        let failed = await #expect(throws: FrameStreamingError.self) {
            try await TCPTransport.connect(to: "127.0.0.1:\(refused)", role: .sender, until: soon())
        }
        #expect(failed?.code == .connectionFailed)
        try await Self.expectNoThreads()
    }

    /// The error that a task ends with after it was cancelled. Its peer does nothing meanwhile.
    private static func cancel(_ task: Task<Void, any Error>) async -> FrameStreamingError.Code? {
        task.cancel()
        do {
            try await task.value
            return nil
        } catch {
            return (error as? FrameStreamingError)?.code
        }
    }

    @Test(arguments: [true, false]) func aCancelledConnect(beforeItBegins: Bool) async throws {
        let silent = try RawListener()
        let begun = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            if beforeItBegins { while !Task.isCancelled { await Task.yield() } }
            begun.continuation.yield()
            _ = try await TCPTransport.connect(
                to: "127.0.0.1:\(silent.port)", role: .sender, options: .patient, until: .never)
        }
        if !beforeItBegins {
            for await _ in begun.stream { break }
        }
        #expect(await Self.cancel(task) == .cancelled)
        try await Self.expectNoThreads()
    }

    /// Where a run is when it is cancelled.
    enum Point: CaseIterable { case beforeItBegins, waitingForTheSource, inAMessage, inAGoodbye }

    @Test(arguments: Point.allCases) func aCancelledRun(point: Point) async throws {
        let (transport, peer) = try makeRawPair(.sender, options: .patient, bufferSize: 4096)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: transport, options: .patient(.reliable))
        let task = Task {
            var source = StallingSource(
                isLive: false, first: point == .inAMessage ? try makeFrame(1, byteCount: 500_000) : nil)
            if point == .beforeItBegins { while !Task.isCancelled { await Task.yield() } }
            try await sender.run(&source)
        }
        let limit = soon()
        func hasArrived() -> Bool {
            switch point {
            case .beforeItBegins, .waitingForTheSource: return true
            case .inAMessage: return sender.summary.total.produced == 1
            case .inAGoodbye:
                sender.stop()
                return sender.summary.receivers[0].statistics.produced == 0
            }
        }
        while !hasArrived() {
            try #require(!limit.hasPassed, "the run does not get there")
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(await Self.cancel(task) == .cancelled)
        withExtendedLifetime(peer) {}
        try await Self.expectNoThreads()
    }

    @Test func aCancelledFinish() async throws {
        let (transport, peer) = try makeRawPair(.sender, options: .patient, bufferSize: 4096)
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: transport, options: .patient(.reliable))
        #expect(try sender.trySend(makeFrame(1, byteCount: 500_000)) == .sent)
        #expect(await Self.cancel(Task { _ = try await sender.finish() }) == .cancelled)
        #expect(try sender.trySend(makeFrame(2)) == .ended)
        withExtendedLifetime(peer) {}
        try await Self.expectNoThreads()
    }
}
