import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// An error of a body that is not of this package.
private struct DiskIsFull: Error, CustomStringConvertible {
    var description: String { "the disk is \u{1B}[31mfull" }
}

/// The peer learns how the body of a `serve` ended, unless the body sent a goodbye itself.
@Suite(.ownThread(atOnce: 4)) struct LentTransportTests {
    enum Ending: CaseIterable { case returns, throwsItsOwn, throwsOurs, isCancelled, saysItself }

    static func expected(_ ending: Ending) -> Goodbye {
        switch ending {
        case .returns: .complete("connection no longer used")
        case .throwsItsOwn: .failed(String(printable: DiskIsFull().description))
        case .throwsOurs: .failed("no room for the recording")
        case .isCancelled: .stopped("the other side was stopped")
        case .saysItself: .complete("enough")
        }
    }

    /// Takes one frame, and ends as `ending` says. The receiver is
    /// released without a goodbye of its own.
    @Sendable static func take(_ transport: TCPTransport, _ ending: Ending) throws {
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
        _ = try #require(try receiver.next())
        switch ending {
        case .returns: return
        case .throwsItsOwn: throw DiskIsFull()
        case .throwsOurs: throw FrameStreamingError(.system, "no room for the recording")
        case .isCancelled: throw FrameStreamingError(.cancelled, "a user wants no more")
        case .saysItself:
            receiver.close(.complete("enough"))
            throw DiskIsFull()
        }
    }

    private static func send(over transport: any Transport) throws -> SenderSummary.Receiver {
        // A receiver whose connection broke would be waited for longer than a test may take. One
        // that said goodbye is not.
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: transport, options: .patient(.reliable))
        var number: UInt64 = 0
        let limit = soon()
        while !sender.summary.receivers.contains(where: { $0.end != nil || $0.peer.goodbye != nil }) {
            try #require(!limit.hasPassed, "the receiver says no goodbye")
            number += 1
            if try sender.trySend(makeFrame(number)) == .ended { break }
            SystemClock().sleep(until: .now.advanced(by: .milliseconds(1)))
        }
        let finishing = try Background { try? sender.finish() }
        try finishing.value()
        return sender.summary.receivers[0]
    }

    @Test(arguments: Ending.allCases) func aListenersPeerHearsHowTheBodyEnded(ending: Ending) throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
        defer { listener.close() }
        let errors = Monitor<[String]>([])
        let serving = try Background {
            try listener.serve(onError: { error in errors.update { $0.append("\(error)") } }) { transport in
                try Self.take(transport, ending)
            }
        }
        let receiver = try Self.send(
            over: TCPTransport.connect(to: "127.0.0.1:\(listener.port)", role: .sender, until: soon()))
        #expect(receiver.peer.goodbye == Self.expected(ending))
        listener.stop()
        try serving.value()
        #expect(errors.withLock { $0.count } == (ending == .returns ? 0 : 1))
    }

    @Test(arguments: Ending.allCases) func aConnectorsPeerHearsHowTheBodyEnded(ending: Ending) throws {
        let acceptor = try TCPAcceptor(on: "127.0.0.1:0", role: .sender)
        let connector = try TCPConnector(to: "127.0.0.1:\(acceptor.port)", role: .receiver)
        let serving = try Background { () -> Bool in
            do {
                try connector.serve { try Self.take($0, ending) }
                return false
            } catch { return true }
        }
        let receiver = try Self.send(over: acceptor.nextTransport(until: soon()))
        #expect(receiver.peer.goodbye == Self.expected(ending))
        #expect(try serving.value() == (ending != .returns))
    }
}
