import FrameStreamingCore
import FrameStreamingSystem
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Connections as an asynchronous sequence. All tasks of a test run on one thread: a call that
/// blocked it would hang the test.
@Suite(.ownThread(atOnce: 2), .timeLimit(.minutes(30))) struct TCPConnectionsTests {
    private func connect(_ listener: TCPListener) async throws -> TCPTransport {
        try await TCPTransport.connect(to: listener.address, role: .sender, until: soon())
    }

    @Test func aPeerThatSaysNothingDelaysNoOther() async throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .automatic, options: .patient)
        let silent = try RawPeer(port: listener.port)
        var iterator = listener.connections.makeAsyncIterator()
        for _ in 0..<3 {
            async let client = connect(listener)
            let transport = try #require(try await iterator.next())
            let address = try await client.peer.address
            #expect(address == listener.address && transport.peer.handshake == .binary)
        }
        withExtendedLifetime(silent) {}
    }

    @Test func whoFailsIsReportedAndPassedOver() async throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary)
        let errors = Monitor<[FrameStreamingError.Code]>([])
        let rubbish = try RawPeer(port: listener.port)
        rubbish.send("GET / HTTP/1.1\r\n\r\n")
        let connections = listener.connections { error in
            errors.update { $0.append((error as? FrameStreamingError)?.code ?? .system) }
        }
        var iterator = connections.makeAsyncIterator()
        async let first = iterator.next()
        let limit = soon()
        while errors.withLock({ $0.isEmpty }) {
            try #require(!limit.hasPassed, "nothing is reported")
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(errors.withLock { $0 } == [.protocolViolation])
        let client = try await connect(listener)
        #expect(try await first != nil)
        withExtendedLifetime(client) {}
    }

    /// What comes after the loop was left waits for the next loop, or for `accept`.
    @Test func leavingTheLoopEndsNothing() async throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary)
        for _ in 0..<3 {
            async let client = connect(listener)
            for try await transport in listener.connections {
                _ = try await client
                #expect(transport.peer.handshake == .binary)
                break
            }
        }
    }

    enum Ending: CaseIterable { case isCancelled, wasCancelled, listenerStops, listenerCloses }

    @Test(arguments: Ending.allCases) func theSequenceEnds(ending: Ending) async throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .automatic, options: .patient)
        let silent = ending == .listenerStops ? nil : try RawPeer(port: listener.port)
        let task = Task {
            if ending == .wasCancelled { while !Task.isCancelled { await Task.yield() } }
            var count = 0
            for try await _ in listener.connections { count += 1 }
            return count
        }
        switch ending {
        case .isCancelled, .wasCancelled: task.cancel()
        case .listenerStops: listener.stop()
        case .listenerCloses: listener.close()
        }
        #expect(try await task.value == 0)
        withExtendedLifetime(silent) {}
    }

    /// When the iterator goes, it closes the connections that were not taken.
    @Test func whatNobodyTookIsClosed() async throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary)
        var iterator: TCPConnections.Iterator? = listener.connections.makeAsyncIterator()
        async let first = connect(listener)
        let taken = try await iterator?.next()
        _ = try await first
        let second = try await connect(listener)
        iterator = nil
        let error = try Background { try second.receive(until: soon()) == nil }.error()
        #expect([.endedWithoutGoodbye, .connectionLost].contains(error?.code))
        withExtendedLifetime(taken) {}
    }
}
