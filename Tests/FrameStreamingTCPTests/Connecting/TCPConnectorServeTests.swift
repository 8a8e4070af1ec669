import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

private struct Full: Error {}

@Suite(.ownThread(atOnce: 4)) struct TCPConnectorServeTests {
    private func connector(to port: Int) throws -> TCPConnector {
        try TCPConnector(to: "127.0.0.1:\(port)", role: .receiver)
    }

    @Test func waitsGrowAndAreShortAgainAfterAHealthyConnection() throws {
        let port = try RawListener().port
        let clock = ScriptedClock()
        var waits: [Duration] = []
        var reasons: [FrameStreamingError.Code?] = []
        var listeners: [RawListener] = []
        let connector = try TCPConnector(to: "127.0.0.1:\(port)", role: .receiver, handshake: .text)
        try connector.serve(
            goesOn: false, clock: clock,
            pause: { wait in
                waits.append(wait)
                if waits.count == 12, let listener = try? RawListener(port: port) { listeners.append(listener) }
                if waits.count == 14 { listeners.removeAll() }
                return waits.count < 16
            },
            onWaiting: { reason, _ in reasons.append(reason?.code) }
        ) { transport in
            // The first connection is short, the second lasts. The clock is
            // scripted, so the test does not wait.
            clock.advance(by: waits.count == 12 ? .seconds(9.9) : .seconds(10))
            throw FrameStreamingError(.connectionLost, "for a test", subject: transport.peer.address)
        }
        #expect(waits.count == 16)
        for (index, wait) in waits.prefix(13).enumerated() {
            #expect(wait <= min(.milliseconds(250) * (1 << min(index, 20)), .seconds(8)), "wait \(index)")
        }
        // After the healthy connection the waits are short again.
        #expect(waits[13] <= .milliseconds(250) && waits[14] <= .milliseconds(500) && waits[15] <= .seconds(1))
        let failed = FrameStreamingError.Code.connectionFailed
        #expect(reasons == .init(repeating: failed, count: 12) + [.connectionLost, .connectionLost, failed, failed])
    }

    @Test func theReceiverMayStartFirst() throws {
        let port = try RawListener().port
        let connector = try connector(to: port)
        let consumed = Monitor<[UInt64]>([])
        let waits = Monitor(0)
        let receiving = try Background {
            try connector.serve(onWaiting: { _, _ in waits.update { $0 += 1 } }) { transport in
                try consume(transport, into: consumed)
            }
        }
        let _: Bool? = waits.wait(until: soon().nanoseconds) { $0 > 0 ? true : nil }
        let acceptor = try TCPAcceptor(on: "\(port)", role: .sender)
        try ResumingSender(connector: acceptor, frames: 5).run()
        try receiving.value()
        #expect(consumed.withLock { $0 } == [1, 2, 3, 4, 5])
    }

    /// The receiver connects, so its HELLO says what it has consumed.
    @Test(arguments: CuttingProxy.Direction.allCases)
    func cutsLoseNothingWhereTheReceiverConnects(_ direction: CuttingProxy.Direction) throws {
        let limits: [[Int]] = [[1], [83], [84], [85], [130], [178], [179], [271], [300], [500], [90, 84, 200, 10]]
        for cuts in limits {
            let acceptor = try TCPAcceptor(on: "0", role: .sender)
            let proxy = try CuttingProxy(to: acceptor.port, cuttingAfter: cuts, direction)
            let sending = try Background { try ResumingSender(connector: acceptor, frames: 6).run() }
            let consumed = Monitor<[UInt64]>([])
            try connector(to: proxy.port).serve(
                goesOn: false, clock: SystemClock(), pause: { _ in true }, onWaiting: { _, _ in }
            ) { transport in
                try consume(transport, into: consumed)
            }
            proxy.close()
            try sending.value()
            #expect(consumed.withLock { $0 } == [1, 2, 3, 4, 5, 6], "cut after \(cuts)")
        }
    }

    /// Takes every connection until the acceptor is cancelled. A receiver that leaves before its first
    /// byte is none.
    private func takeAll(_ acceptor: TCPAcceptor) throws -> Background<Void> {
        try Background { while true { _ = try acceptor.nextTransport(until: .never) } }
    }

    @Test func anErrorOfTheProgramsOwnEndsIt() throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        let sending = try takeAll(acceptor)
        #expect(throws: Full.self) { try connector(to: acceptor.port).serve { _ in throw Full() } }
        // An error of a file is no connection error, even if its code is one of a connection.
        for error in [
            FrameStreamingError(.connectionLost, "broken pipe", subject: "/a/fifo"),
            FrameStreamingError(.system, "no space left"), FrameStreamingError(.busy, "used"),
        ] {
            #expect(throws: error) { try connector(to: acceptor.port).serve { _ in throw error } }
        }
        acceptor.cancel()
        #expect(sending.error()?.code == .cancelled)
    }

    @Test func aRefusalEndsIt() throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary)
        let serving = try Background { try listener.serve(onError: { _ in }) { _ in } }
        #expect(code { try connector(to: listener.port).serve { _ in } } == .rejected)
        listener.stop()
        try serving.value()
    }

    @Test func oneStreamAfterAnother() throws {
        let consumed = Monitor<[UInt64]>([])
        let first = try TCPAcceptor(on: "0", role: .sender)
        let port = first.port
        let connector = try connector(to: port)
        var reasons: [FrameStreamingError?] = []
        let sending = try Background {
            try ResumingSender(connector: first, frames: 3).run()
            first.cancel()
            // Another sender, with a session of its own.
            try ResumingSender(connector: TCPAcceptor(on: "\(port)", role: .sender), frames: 2).run()
            connector.cancel()
        }
        try connector.serve(
            goesOn: true, clock: SystemClock(), pause: { _ in !connector.isCancelled },
            onWaiting: { reason, _ in reasons.append(reason) }
        ) { transport in
            try consume(transport, into: consumed)
        }
        try sending.value()
        #expect(consumed.withLock { $0 } == [1, 2, 3, 1, 2])
        #expect(reasons.first == .some(nil))
    }

    @Test func aCancelEndsTheWait() throws {
        let connector = try connector(to: try RawListener().port)
        try connector.serve(onWaiting: { _, _ in connector.cancel() }) { _ in }
        // A connector that was cancelled before does not begin.
        try connector.serve { _ in Issue.record("connected") }
    }

    @Test(arguments: [FrameStreamingError.Code.connectionLost, .closed])
    func aCancelWhileConnectedEndsItWithTheConnection(code: FrameStreamingError.Code) throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        let sending = try takeAll(acceptor)
        let connector = try connector(to: acceptor.port)
        try connector.serve(onWaiting: { _, _ in Issue.record("waits") }) { transport in
            connector.cancel()
            throw FrameStreamingError(code, "for a test")
        }
        acceptor.cancel()
        #expect(sending.error()?.code == .cancelled)
    }

    /// A body that closed the connection itself, without a cancel, must throw the reason.
    @Test func aConnectionThatTheBodyClosedIsAnError() throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        let sending = try takeAll(acceptor)
        let connector = try connector(to: acceptor.port)
        #expect(code { try connector.serve { _ in throw FrameStreamingError(.closed, "for a test") } } == .closed)
        acceptor.cancel()
        #expect(sending.error()?.code == .cancelled)
    }
}
