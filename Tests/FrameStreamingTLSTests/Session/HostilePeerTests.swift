import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTCP
import Glibc
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTLS

/// Peers that speak TLS well, and mean no good by it, or know only what is weak.
@Suite(.ownThread(atOnce: 2)) struct HostilePeerTests {
    /// This side of a connection whose other end is a raw one.
    private func stream(_ socket: Descriptor, listens: Bool) throws -> TLSStream {
        try TLSStream(
            socket, certificateContext(listens ? "listener" : "camera", authorities: listens ? nil : "authority"),
            host: listens ? nil : "localhost", address: "peer")
    }

    private func connected(listens: Bool) throws -> (TLSStream, RawTLS) {
        let (near, far) = try descriptorPair()
        let ours = try stream(near, listens: listens)
        let raw = try RawTLS(far, listens: !listens)
        var isComplete = (ours: false, raw: false)
        for _ in 0..<10 where !isComplete.ours || !isComplete.raw {
            isComplete = (try ours.continueHandshake() == .complete, raw.step())
        }
        try #require(isComplete.ours && isComplete.raw)
        return (ours, raw)
    }

    private func receive(_ stream: TLSStream, _ room: inout [UInt8]) throws(FrameStreamingError) -> Int? {
        var span = room.mutableSpan
        var bytes = unsafe span.mutableBytes
        return try stream.receive(into: &bytes, at: 0)
    }

    /// The error of this side when the peer sends nothing but such messages.
    private func flood(
        _ ours: TLSStream, _ send: () -> Bool
    ) throws -> (error: FrameStreamingError?, messages: Int) {
        var room = [UInt8](repeating: 0, count: 100)
        for count in 1...20_000 {
            try #require(send())
            do throws(FrameStreamingError) {
                #expect(try receive(ours, &room) == nil)
                // The peer reads no answers, so that the socket is full soon.
                _ = try ours.flush()
            } catch {
                return (error, count)
            }
        }
        return (nil, 20_000)
    }

    @Test(arguments: [true, false]) func aFloodOfKeyUpdatesEndsTheConnection(listens: Bool) throws {
        let (ours, raw) = try connected(listens: listens)
        let (error, messages) = try flood(ours) { raw.updateKeys() }
        #expect(error?.code == .protocolViolation && error?.message.contains("without data") == true, "\(messages)")
        // Also every later call.
        var room = [UInt8](repeating: 0, count: 100)
        #expect(failure { _ = try receive(ours, &room) }?.code == .protocolViolation)
    }

    /// Each ticket replaces the one before, so they take no memory either.
    @Test func aFloodOfTicketsEndsTheConnection() throws {
        let (ours, raw) = try connected(listens: false)
        let (error, messages) = try flood(ours) { raw.sendTicket() }
        #expect(error?.code == .protocolViolation && error?.message.contains("without data") == true, "\(messages)")
    }

    /// New keys now and then are no flood.
    @Test(arguments: [true, false]) func newKeysBetweenDataAreTaken(listens: Bool) throws {
        let (ours, raw) = try connected(listens: listens)
        var room = [UInt8](repeating: 0, count: 100)
        for number in 0..<5_000 {
            #expect(raw.updateKeys() && raw.send([UInt8(truncatingIfNeeded: number)]))
            #expect(try receive(ours, &room) == 1 && room[0] == UInt8(truncatingIfNeeded: number))
            // With the answers to what it asked for, which it reads.
            #expect(try ours.flush())
            raw.readAnswers()
        }
        #expect(!raw.hasFailed)
    }

    /// It asks for new keys with each byte, and takes no answer.
    @Test func whoAsksForKeysAndReadsNothingIsLetGo() throws {
        let (ours, raw) = try connected(listens: true)
        var room = [UInt8](repeating: 0, count: 100)
        var error: FrameStreamingError?
        var count = 0
        while error == nil, count < 100_000 {
            try #require(raw.updateKeys() && raw.send([1]))
            error = failure {
                _ = try receive(ours, &room)
                _ = try ours.flush()
            }
            count += 1
        }
        // A megabyte of answers was kept for it.
        #expect(error?.code == .connectionLost, "\(count) requests: \(String(describing: error))")
    }

    /// What is weak is refused on both ends, whichever of them offers nothing else.
    @Test(arguments: RawTLS.Offer.allCases.filter { $0 != .everything }, [true, false])
    func whoOffersOnlyWhatIsWeakIsRefused(_ offer: RawTLS.Offer, listens: Bool) throws {
        let (near, far) = try descriptorPair()
        let ours = try stream(near, listens: listens)
        let raw = try RawTLS(far, listens: !listens, offer: offer)
        var error: FrameStreamingError?
        for _ in 0..<10 where error == nil {
            error = failure { _ = try ours.continueHandshake() }
            raw.step()
        }
        raw.step()
        let found = try #require(error, "it was let in, or waits")
        // A listener that finds nothing in common says the same as one that has other keys.
        let isAmbiguous = !listens && offer != .oldVersion
        #expect(found.code == (isAmbiguous ? .notAuthenticated : .protocolViolation), "\(found)")
        #expect(raw.hasFailed)
    }

    /// Two hundred strangers who repeat a hello of a holder of the key, so that each costs the
    /// listener a handshake, and go no further.
    @Test func twoHundredHandshakesKeepNoPeerOut() throws {
        let key = try TLSSecurity(keys: [testKey("camera")])
        let listener = try TCPListener(on: "0", role: .receiver, options: options(key.security, timeout: .seconds(600)))
        let serving = try Background {
            try listener.serve(maximumConnections: 1, onError: { _ in }) { transport in
                while case .frame(let frame, let info) = try transport.receive(until: soon()) {
                    #expect(frame.isPattern(info.sequence))
                    try transport.acknowledge(info.sequence)
                }
                try transport.finish("", until: soon())
            }
        }
        let hello = try hello()
        let strangers = try (0..<200).map { _ in
            let peer = try RawPeer(port: listener.port)
            peer.send(hello)
            return peer
        }
        let transport = try TCPTransport.connect(
            to: "127.0.0.1:\(listener.port)", role: .sender, options: options(key.security), until: soon())
        for number in 1...UInt64(3) {
            try transport.send(.frame(makeFrame(number), FrameInfo(sequence: number)), until: soon())
            guard case .acknowledgement(let answer) = try transport.receive(until: soon()) else {
                Issue.record("no acknowledgement")
                break
            }
            #expect(answer.sequence == number)
        }
        // Those that had waited longest were ended, so that others could begin.
        #expect(strangers[0].waitForEnd() && strangers[1].waitForEnd())
        try transport.finish("", until: soon())
        transport.close()
        listener.close()
        try serving.value()
    }

    /// The first bytes of a side that connects with the key of these tests.
    private func hello() throws -> [UInt8] {
        let (near, far) = try descriptorPair()
        let client = try TLSStream(near, TLSContext(keys: [testKey("camera")]), host: "localhost", address: "a")
        #expect(try client.continueHandshake() == .wantsInput)
        return RawPeer(socket: dup(far.raw)).receiveOnce(4096)
    }
}
