import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// A receiver that listens and notes what it consumed, connection by connection.
private final class Consumer: Sendable {
    struct Broken: Error {}

    let listener: TCPListener
    let consumed = Monitor<[UInt64]>([])
    let errors = Monitor<[FrameStreamingError]>([])
    private let serving: Background<Void>

    /// - Parameter work: Called with each frame's number before the frame counts as consumed.
    init(
        options: TCPOptions = TCPOptions(), maximumConnections: Int = 16,
        work: @escaping @Sendable (UInt64) throws -> Void = { _ in }
    ) throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary, options: options)
        self.listener = listener
        let (consumed, errors) = (consumed, errors)
        serving = try Background {
            try listener.serve(maximumConnections: maximumConnections) { error in
                if let error = error as? FrameStreamingError { errors.update { $0.append(error) } }
            } _: { transport in
                try consume(transport, into: consumed, work: work)
            }
        }
    }

    func close() throws {
        listener.close()
        try serving.value()
    }
}

extension Monitor<[UInt64]> {
    /// Waits until there are so many.
    fileprivate func wait(for count: Int) {
        let _: Bool? = wait(until: soon().nanoseconds) { $0.count >= count ? true : nil }
    }
}

private let frames: UInt64 = 6
/// The sizes of HELLO, a frame of ResumingSender, and an acknowledgement.
private let (helloBytes, frameBytes, acknowledgementBytes) = (8 + 72 + 4, 8 + 76 + 10, 8 + 72)

@Suite(.ownThread(atOnce: 4)) struct ResumingTests {
    private func stream(
        cutAfter limits: [Int], _ direction: CuttingProxy.Direction, window: UInt64 = 4,
        work: @escaping @Sendable (UInt64, CuttingProxy?) throws -> Void = { _, _ in }
    ) throws -> (consumed: [UInt64], connections: Int) {
        let proxy = Monitor<CuttingProxy?>(nil)
        let consumer = try Consumer { number in try work(number, proxy.withLock { $0 }) }
        let between = try CuttingProxy(to: consumer.listener.port, cuttingAfter: limits, direction)
        proxy.update { $0 = between }
        let connector = try TCPConnector(to: "127.0.0.1:\(between.port)", role: .sender)
        try ResumingSender(connector: connector, frames: frames, window: window).run()
        between.close()
        try consumer.close()
        return (consumer.consumed.withLock { $0 }, between.connections)
    }

    /// The bounds of messages, and a byte before and behind each.
    private static let cutsToServer: [Int] = (0...7).flatMap { number in
        let boundary = helloBytes + number * frameBytes
        return [boundary - 1, boundary, boundary + 1, boundary + 8, boundary + 50]
    }
    private static let cutsToClient: [Int] = (0...7).flatMap { number in
        let boundary = helloBytes + number * acknowledgementBytes
        return [boundary - 1, boundary, boundary + 1, boundary + 30]
    }

    @Test(arguments: [1, 4] as [UInt64]) func aCutOnTheWayToTheReceiverLosesNothing(_ window: UInt64) throws {
        for cut in Self.cutsToServer + [1, 20, 83] {
            let (consumed, connections) = try stream(cutAfter: [cut], .toServer, window: window)
            #expect(consumed == Array(1...frames), "cut after \(cut)")
            // One more than two if the receiver has not noticed yet that the first is gone.
            #expect(connections >= 1 && connections <= 3, "cut after \(cut)")
        }
    }

    @Test(arguments: [1, 4] as [UInt64]) func aCutOnTheWayToTheSenderLosesNothing(_ window: UInt64) throws {
        for cut in Self.cutsToClient + [1, 20, 83] {
            let (consumed, _) = try stream(cutAfter: [cut], .toClient, window: window)
            #expect(consumed == Array(1...frames), "cut after \(cut)")
        }
    }

    @Test func manyCutsOneAfterAnother() throws {
        for direction in CuttingProxy.Direction.allCases {
            let limits = [100, 200, 84, 10, 300, 184, 0x60, 85]
            let (consumed, connections) = try stream(cutAfter: limits, direction, window: 1)
            #expect(consumed == Array(1...frames), "\(direction)")
            #expect(connections > 3)
        }
    }

    /// The consumer takes nothing before the sender is back: what had arrived is consumed first,
    /// and only the rest is sent again.
    @Test(arguments: cutsToServer.filter { $0 >= helloBytes + frameBytes })
    func aSlowConsumerGetsThroughWhatHadArrivedFirst(_ cut: Int) throws {
        let (consumed, connections) = try stream(cutAfter: [cut], .toServer) { number, proxy in
            // With a window of 4 the cut comes before the fifth, or never.
            if number == 1, cut < helloBytes + 4 * frameBytes { proxy?.waitForConnections(2) }
        }
        #expect(consumed == Array(1...frames))
        #expect(cut >= helloBytes + 4 * frameBytes || connections == 2)
    }

    @Test func aFrameWhoseConsumerThrewComesAgain() throws {
        let attempts = Monitor<[UInt64]>([])
        let consumer = try Consumer { number in
            let isFirst = attempts.update { attempts in
                attempts.append(number)
                return attempts.count { $0 == number } == 1
            }
            if number == 3 || number == 5, isFirst { throw Consumer.Broken() }
        }
        let connector = try TCPConnector(to: "127.0.0.1:\(consumer.listener.port)", role: .sender)
        try ResumingSender(connector: connector, frames: frames).run()
        try consumer.close()
        #expect(consumer.consumed.withLock { $0 } == Array(1...frames))
        #expect(attempts.withLock { $0 } == [1, 2, 3, 3, 4, 5, 5, 6])
    }

    @Test func aReceiverThatKnowsNothingSaysSo() throws {
        let first = try Consumer()
        let connector = try TCPConnector(to: "127.0.0.1:\(first.listener.port)", role: .sender)
        try ResumingSender(connector: connector, frames: 3).run()
        // The same port, in a new program.
        let port = first.listener.port
        try first.close()
        let listener = try TCPListener(on: "\(port)", role: .receiver, handshake: .binary)
        let server = try Background { try listener.accept(until: soon()).peer }
        let again = try connector.nextTransport(until: soon())
        #expect(again.peer.session == connector.session && again.peer.resumedFrom == 0)
        #expect(try server.value().resumedFrom == 0)
    }

    @Test func sessionsDoNotMix() throws {
        let consumer = try Consumer()
        let address = "127.0.0.1:\(consumer.listener.port)"
        let connectors = try (0..<3).map { _ in try TCPConnector(to: address, role: .sender) }
        let resumed = Monitor<[UInt64]>([])
        for connector in connectors + connectors {
            try ResumingSender(connector: connector, frames: 4) { peer in
                resumed.update { $0.append(peer.resumedFrom) }
            }.run()
        }
        #expect(resumed.withLock { $0 } == [0, 0, 0, 4, 4, 4])
        try consumer.close()
    }
}

/// A new connection of a session whose old one still exists for the receiver: the cable was pulled,
/// or the sender was restarted elsewhere in the network.
@Suite(.ownThread(atOnce: 4)) struct SupersededConnectionTests {
    private func hello(_ session: UInt64) -> [UInt8] {
        var hello = Hello(role: 1, maximumFrameByteCount: 0, bootID: [UInt8](repeating: 0, count: 16), stream: "")
        hello.session = session
        return hello.marshal(.hello)
    }

    private func frame(_ sequence: UInt64, of number: UInt64) throws -> [UInt8] {
        let frame = try makeFrame(number, byteCount: 10)
        return FrameHeader(frame, FrameInfo(sequence: sequence)).marshal(metadata: [], imageBytes: 10) + frame.contents
    }

    /// The number of frames that WELCOME says were consumed; nil where it was another message.
    private func welcome(_ peer: RawPeer) throws -> UInt64? {
        let prefix = try WirePrefix(unmarshal: peer.receive(WirePrefix.length)[...])
        let header = peer.receive(prefix.headerLength)
        let payload = peer.receive(prefix.payloadLength)
        guard prefix.type == WireType.welcome.rawValue else { return nil }
        return try Hello(header: header[...], payload: payload[...]).lastConsumed
    }

    @Test func whereThereIsRoomForOneTheNewOneTakesThePlaceOfTheOld() throws {
        let consumer = try Consumer(maximumConnections: 1)
        let old = try RawPeer(port: consumer.listener.port)
        old.send(hello(7))
        #expect(try welcome(old) == 0)
        old.send(try frame(1, of: 1))
        consumer.consumed.wait(for: 1)

        // Another sender has to wait, and does not affect the present one.
        let stranger = try RawPeer(port: consumer.listener.port)
        stranger.send(hello(8))
        #expect(try welcome(stranger) == nil)
        _ = stranger.receiveToEnd()
        old.send(try frame(2, of: 2))
        consumer.consumed.wait(for: 2)

        // The same session is refused once, while the silent earlier connection ends.
        let first = try RawPeer(port: consumer.listener.port)
        first.send(hello(7))
        #expect(try welcome(first) == nil)
        _ = first.receiveToEnd()
        _ = old.receiveToEnd()
        let limit = soon()
        while !limit.hasPassed {
            let new = try RawPeer(port: consumer.listener.port)
            new.send(hello(7))
            guard let resumed = try welcome(new) else { continue }
            #expect(resumed == 2)
            new.send(try frame(1, of: 3))
            new.send(Bye("").marshal())
            _ = new.receiveToEnd()
            break
        }
        #expect(consumer.consumed.withLock { $0 } == [1, 2, 3])
        try consumer.close()
    }

    @Test func theNewOneWaitsForTheConsumerOfTheOld() throws {
        let gate = Monitor(false)
        let atWork = Monitor<UInt64>(0)
        let consumer = try Consumer { number in
            atWork.update { $0 = number }
            let _: Bool? = gate.wait(until: soon().nanoseconds) { $0 ? true : nil }
        }
        let old = try RawPeer(port: consumer.listener.port)
        old.send(hello(7))
        #expect(try welcome(old) == 0)
        for number in 1...UInt64(3) { old.send(try frame(number, of: number)) }
        // Half a frame, which never becomes whole.
        old.send(try frame(4, of: 4).dropLast(5))
        let _: Bool? = atWork.wait(until: soon().nanoseconds) { $0 == 1 ? true : nil }

        let new = try RawPeer(port: consumer.listener.port)
        new.send(hello(7))
        // The old one is cut off as soon as the new one has said who it is.
        // It may have been asked for its clock before.
        _ = old.receiveToEnd()
        #expect(consumer.consumed.withLock { $0 } == [])
        gate.update { $0 = true }
        // The receiver reports how many frames of the old connection had arrived
        // whole: they were consumed first.
        let resumed = try #require(try welcome(new))
        #expect((1...3).contains(resumed) && consumer.consumed.withLock { $0 } == Array(1...resumed))
        for number in resumed + 1...5 { new.send(try frame(number - resumed, of: number)) }
        new.send(Bye("").marshal())
        _ = new.receiveToEnd()
        #expect(consumer.consumed.withLock { $0 } == [1, 2, 3, 4, 5])
        try consumer.close()
        let ends = consumer.errors.withLock { $0 }
        #expect(ends.map(\.code) == [.endedWithoutGoodbye])
        #expect(ends.first?.message.contains("connected again") == true)
    }

    @Test func aConsumerThatIsNotDoneInTimeMakesItBusy() throws {
        let gate = Monitor(false)
        var options = TCPOptions()
        options.handshakeTimeout = .milliseconds(500)
        let atWork = Monitor(false)
        let consumer = try Consumer(options: options) { _ in
            atWork.update { $0 = true }
            let _: Bool? = gate.wait(until: soon().nanoseconds) { $0 ? true : nil }
        }
        var sending = TCPSenderOptions()
        sending.session = 7
        let connector = try TCPConnector(to: "127.0.0.1:\(consumer.listener.port)", role: .sender(sending))
        let old = try connector.nextTransport(until: soon())
        for number in 1...UInt64(2) {
            try old.send(.frame(makeFrame(number), FrameInfo(sequence: number)), until: soon())
        }
        let _: Bool? = atWork.wait(until: soon().nanoseconds) { $0 ? true : nil }
        do {
            _ = try connector.nextTransport(until: soon())
            Issue.record("two connections of one session")
        } catch {
            #expect(error.code == .busy && error.isTransient, "\(error)")
        }
        gate.update { $0 = true }
        let again = try connector.nextTransport(until: soon())
        #expect(again.peer.resumedFrom <= 2)
        #expect(consumer.consumed.withLock { $0.count } == Int(again.peer.resumedFrom))
        again.close()
        try consumer.close()
        #expect(consumer.errors.withLock { $0.contains { $0.code == .busy } })
    }

    @Test func closingTheListenerEndsTheWait() throws {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .binary)
        let first = try RawPeer(port: listener.port)
        first.send(hello(7))
        let held = try listener.accept(until: soon())
        #expect(held.peer.session == 7)
        let second = try RawPeer(port: listener.port)
        second.send(hello(7))
        let waiting = try Background { try listener.accept(until: soon()).peer }
        // The first connection was severed for the second, which waits until its owner releases it.
        #expect(code { _ = try held.receive(until: soon()) } == .endedWithoutGoodbye)
        listener.close()
        #expect(waiting.error()?.code == .closed)
        held.close()
    }
}

/// Consumes a connection's frames and notes their numbers.
func consume(
    _ transport: TCPTransport, into consumed: Monitor<[UInt64]>, work: (UInt64) throws -> Void = { _ in }
) throws {
    let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
    do {
        while let received = try receiver.next() {
            try work(received.frame.sequence)
            consumed.update { $0.append(received.frame.sequence) }
        }
    } catch {
        // A frame whose consumer failed was not consumed.
        receiver.cancel()
        throw error
    }
}
