import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Real senders and receivers at a relay's port.
@Suite(.ownThread(atOnce: 2)) struct RelayStreamsTests {
    /// A relay on a port of its own, and what it reports.
    private final class Station: Sendable {
        let relay: FrameRelay
        let listener: TCPListener
        let events = Monitor<[String]>([])
        private let serving: Background<Void>

        init(places: Int = 64, _ change: (inout RelayOptions) -> Void = { _ in }) throws {
            var options = RelayOptions()
            change(&options)
            let events = events
            options.onEvent = { event in
                let words: String? =
                    switch event {
                    case .began(let stream, _): "\(stream) began"
                    case .lost(let stream, let error): "\(stream) lost: \(error.code)"
                    case .restored(let stream, _): "\(stream) restored"
                    case .ended(let stream, let goodbye): "\(stream) ended: \(goodbye)"
                    case .notForwarded(let stream, let error): "\(stream) not forwarded: \(error)"
                    case .receiver(let stream, .connected): "\(stream) connected"
                    case .receiver: nil
                    @unknown default: nil
                    }
                if let words { events.update { $0.append(words) } }
            }
            let relay = try FrameRelay(options: options)
            let listener = try TCPListener(relayingOn: "127.0.0.1:0")
            self.relay = relay
            self.listener = listener
            serving = try Background {
                try listener.serve(relay, maximumConnections: places, onError: { _ in })
            }
        }

        deinit { listener.close() }

        func end() throws {
            relay.close()
            listener.close()
            try serving.value()
        }

        func wait(for words: String) throws {
            let found: Bool? = events.wait(until: soon().nanoseconds) { events in
                events.contains { $0.hasPrefix(words) } ? true : nil
            }
            try #require(found == true, "no '\(words)' in \(events.withLock { $0 })")
        }

        /// Sends the first frame, and waits until the relay knows the stream.
        func began(_ stream: String, by sender: FrameSender) throws {
            #expect(try sender.trySend(try makeFrame(1)) != .ended)
            try wait(for: "\(stream) began")
        }

        func sender(_ stream: String) throws -> FrameSender {
            var options = TCPOptions()
            options.stream = stream
            let transport = try TCPTransport.connect(
                to: listener.address, role: .sender, options: options, until: soon())
            return try FrameSender(codec: IdentityCodec(), transport: transport, options: SenderOptions())
        }

        /// A receiver of a stream, which may not exist.
        func connect(_ stream: String) throws -> TCPTransport {
            var options = TCPOptions()
            options.stream = stream
            return try TCPTransport.connect(to: listener.address, role: .receiver, options: options, until: soon())
        }

        func receiver(_ stream: String, waits: Bool = true) throws -> FrameReceiver {
            var options = TCPOptions()
            options.stream = stream
            var receiving = TCPReceiverOptions()
            receiving.waitsForStream = waits
            func connected(_ events: [String]) -> Int { events.count { $0.hasSuffix(" connected") } }
            let before = events.withLock { connected($0) }
            let transport = try TCPTransport.connect(
                to: listener.address, role: .receiver(receiving), options: options, until: soon())
            // The frames from now on are for it.
            let isKnown: Bool? = events.wait(until: soon().nanoseconds) { connected($0) > before ? true : nil }
            try #require(isKnown == true)
            return try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
        }
    }

    /// Sends frames until one has come to each receiver, because the newest replaces the one before.
    private func pass(
        _ number: UInt64, from sender: FrameSender, to receivers: [FrameReceiver]
    ) throws -> [ReceivedFrame] {
        var frame = try makeFrame(number, byteCount: 20_000)
        frame.captureTime = CaptureTime(.now)
        #expect(try sender.trySend(frame) != .ended)
        return try receivers.map { receiver in
            let received = try #require(try receiver.next(until: soon()))
            #expect(received.frame.sequence == number && received.frame.contents == frame.contents)
            return received
        }
    }

    @Test func streamsGoByTheirNamesWhoeverComesFirst() throws {
        let station = try Station()
        let early = try station.receiver("front")
        let (front, back) = (try station.sender("front"), try station.sender("back"))
        let late = try station.receiver("front")
        let other = try station.receiver("back")
        #expect(early.peer.stream == "front" && other.peer.stream == "back")
        for number in 1...20 as ClosedRange<UInt64> {
            for received in try pass(number, from: front, to: [early, late]) {
                #expect(received.frame.relays == [station.relay.number])
                let age = try #require(received.age)
                #expect(age > .zero && received.captureError != nil)
            }
            _ = try pass(number + 100, from: back, to: [other])
        }
        let streams = station.relay.summaries
        #expect(streams.map(\.name) == ["back", "front"] && streams.allSatisfy { !$0.isAwaited && $0.sender != nil })
        #expect(streams.map(\.summary.receivers.count) == [1, 2])
        try front.finish("all shown")
        for receiver in [early, late] {
            #expect(try receiver.next(until: soon()) == nil)
            #expect(receiver.peer.goodbye == "all shown")
        }
        try station.wait(for: "front ended: complete: all shown")
        // A stream of the same name may begin again.
        let again = try station.sender("front")
        _ = try pass(1, from: again, to: [try station.receiver("front")])
        try station.end()
        #expect(try other.next(until: soon()) == nil)
        #expect(other.peer.goodbye?.code == .stopped)
    }

    /// The failure of a sender reaches its receivers in its own words.
    @Test func aFailureEndsTheStreamWithItsWords() throws {
        let station = try Station()
        let (sender, receiver) = (try station.sender("front"), try station.receiver("front"))
        _ = try pass(1, from: sender, to: [receiver])
        try sender.finish(.failed("the disk is full"))
        #expect { try receiver.next(until: soon()) } throws: { error in
            let error = error as? FrameStreamingError
            return error?.code == .peerFailed && error?.message.contains("the disk is full") == true
        }
        receiver.close()
        try station.end()
    }

    /// One that breaks off may come back, and the receivers stay.
    @Test func aLostSenderIsWaitedFor() throws {
        let station = try Station()
        let (sender, receiver) = (try station.sender("front"), try station.receiver("front"))
        _ = try pass(1, from: sender, to: [receiver])
        sender.cancel()
        try station.wait(for: "front lost: ")
        let again = try station.sender("front")
        _ = try pass(2, from: again, to: [receiver])
        try station.wait(for: "front restored")
        // The news of a source pass through, too.
        let interval = receiver.statistics
        #expect(interval.frames >= 1)
        try again.finish()
        #expect(try receiver.next(until: soon()) == nil)
        try station.end()
    }

    @Test func aReceiverThatDoesNotWaitIsRefused() throws {
        let station = try Station()
        #expect { try station.receiver("front", waits: false) } throws: { error in
            let error = error as? FrameStreamingError
            return error?.code == .notFound && error?.message.contains("no stream front") == true
        }
        #expect(throws: FrameStreamingError.self) { try station.receiver("") }
        let sender = try station.sender("front")
        // Without a name the only stream is meant, and the receiver learns which that is.
        let receiver = try station.receiver("", waits: false)
        #expect(receiver.peer.stream == "front")
        _ = try pass(1, from: sender, to: [receiver])
        receiver.close()
        try station.end()
    }

    @Test func twoSendersCannotHaveOneName() throws {
        let station = try Station()
        let (sender, receiver) = (try station.sender("front"), try station.receiver("front"))
        _ = try pass(1, from: sender, to: [receiver])
        #expect { try station.sender("front") } throws: { error in
            let error = error as? FrameStreamingError
            // It may have another try: the first may be gone then.
            return error?.code == .busy && error?.message.contains("another sender has the stream front") == true
        }
        _ = try pass(2, from: sender, to: [receiver])
        #expect { try station.sender("") } throws: { error in
            (error as? FrameStreamingError)?.message.contains("name it") == true
        }
        receiver.close()
        try station.end()
    }

    /// What nobody watches is hardly sent: the sender soon has no credit. A receiver that comes gets the
    /// newest.
    @Test func aStreamWithoutReceiversRests() throws {
        let station = try Station()
        let sender = try station.sender("front")
        try station.began("front", by: sender)
        var sent: UInt64 = 1
        while try sender.trySend(try makeFrame(sent + 1), mayQueue: false) == .sent {
            sent += 1
            try #require(sent < 1_000, "it has credit for ever")
        }
        let receiver = try station.receiver("front")
        var last: UInt64 = 0
        while last < sent { last = try #require(try receiver.next(until: soon())).frame.sequence }
        #expect(receiver.statistics.frames <= Int(sent))
        receiver.close()
        try sender.finish()
        try station.wait(for: "front ended: complete: end of stream")
        try station.end()
    }

    /// A sender that ends while nobody watches is let go.
    @Test func theEndComesThroughWithoutReceivers() throws {
        let station = try Station()
        let sender = try station.sender("front")
        try sender.trySend(try makeFrame(1))
        try sender.finish("enough")
        try station.wait(for: "front ended: complete: enough")
        #expect(station.relay.summaries.isEmpty)
        try station.end()
    }

    /// A receiver that takes nothing delays no other, and the sender follows the best of them.
    @Test func aStoppedReceiverDelaysNobody() throws {
        let station = try Station()
        let (sender, quick) = (try station.sender("front"), try station.receiver("front"))
        let stopped = try station.receiver("front")
        for number in 1...60 as ClosedRange<UInt64> { _ = try pass(number, from: sender, to: [quick]) }
        // It gets the newest when it asks again, after at most what its own credit had let through.
        var last: UInt64 = 0
        while last < 60 { last = try #require(try stopped.next(until: soon())).frame.sequence }
        #expect(stopped.statistics.frames < 60)
        quick.close()
        stopped.close()
        try station.end()
    }

    @Test func framesPassThroughThreeRelays() throws {
        let stations = try (0..<3).map { _ in try Station() }
        for (near, far) in zip(stations, stations.dropFirst()) {
            let address = far.listener.address
            near.relay.forward { (name) throws(FrameStreamingError) in
                var options = TCPOptions()
                options.stream = name
                return try TCPConnector(to: address, role: .sender, options: options)
            }
        }
        let sender = try stations[0].sender("front")
        let (receiver, direct) = (try stations[2].receiver("front"), try stations[0].receiver("front"))
        for number in 1...10 as ClosedRange<UInt64> {
            let received = try pass(number, from: sender, to: [receiver, direct])
            #expect(received[0].frame.relays == stations.map(\.relay.number))
            #expect(received[1].frame.relays == [stations[0].relay.number])
            #expect(received[0].frame.contents == received[1].frame.contents)
        }
        try sender.finish("all shown")
        #expect(try receiver.next(until: soon()) == nil)
        #expect(receiver.peer.goodbye == "all shown")
        direct.close()
        for station in stations { try station.end() }
    }

    /// A stream that comes back to a relay is refused there, and goes on where it should.
    @Test func aCircleOfRelaysIsFound() throws {
        let (here, there) = (try Station(), try Station())
        // The other relay sends it back under another name, so that no name is in the way.
        for (near, far, suffix) in [(here, there, ""), (there, here, "'")] {
            let address = far.listener.address
            near.relay.forward { (name) throws(FrameStreamingError) in
                var options = TCPOptions()
                options.stream = name + suffix
                return try TCPConnector(to: address, role: .sender, options: options)
            }
        }
        let sender = try here.sender("front")
        let receiver = try there.receiver("front")
        let looped = try here.receiver("front'")
        _ = try pass(1, from: sender, to: [receiver])
        try here.wait(for: "front' lost: rejected")
        _ = try pass(2, from: sender, to: [receiver])
        #expect(looped.statistics.frames == 0)
        for receiver in [receiver, looped] { receiver.close() }
        try here.end()
        try there.end()
    }

    @Test func noMoreStreamsThanTheLimit() throws {
        let station = try Station { $0.maximumStreams = 1 }
        let sender = try station.sender("front")
        try station.began("front", by: sender)
        #expect { try station.sender("back") } throws: { ($0 as? FrameStreamingError)?.code == .busy }
        // Who waits for a stream has a place of another kind.
        let waiting = try station.connect("back")
        try station.wait(for: "back connected")
        #expect { try station.connect("side") } throws: { ($0 as? FrameStreamingError)?.code == .busy }
        waiting.close()
        sender.cancel()
        try station.end()
    }

    /// Both sides are told that the port is full, and may try again.
    @Test func aFullPortIsNotAWrongRole() throws {
        let station = try Station(places: 1)
        let first = try station.receiver("front")
        #expect { try station.connect("front") } throws: { ($0 as? FrameStreamingError)?.code == .busy }
        #expect { try station.sender("front") } throws: { ($0 as? FrameStreamingError)?.code == .busy }
        first.close()
        try station.end()
    }

    /// A stream whose receiver hangs at its end keeps its name for a while. Who comes then may try again.
    @Test func whoComesWhileAStreamEndsMayTryAgain() throws {
        let station = try Station()
        let (sender, hanging) = (try station.sender("front"), try station.receiver("front"))
        try station.began("front", by: sender)
        _ = try #require(try hanging.next(until: soon()))
        try sender.finish("enough")
        // The relay has the goodbye, and waits for the answer to its last frame.
        for connect in [{ _ = try station.sender("front") }, { _ = try station.connect("front") }]
            as [() throws -> Void]
        {
            #expect { try connect() } throws: { ($0 as? FrameStreamingError)?.isTransient == true }
        }
        hanging.close()
        try station.wait(for: "front ended: complete: enough")
        let again = try station.sender("front")
        try station.began("front", by: again)
        again.cancel()
        try station.end()
    }

    /// Two relays that send everything on to each other keep no stream alive between them.
    @Test func twoRelaysKeepNoStreamBetweenThem() throws {
        let stations = try (0..<2).map { _ in try Station { $0.returnTimeout = .milliseconds(300) } }
        let (here, there) = (stations[0], stations[1])
        for (near, far) in [(here, there), (there, here)] {
            let address = far.listener.address
            near.relay.forward { (name) throws(FrameStreamingError) in
                var options = TCPOptions()
                options.stream = name
                return try TCPConnector(to: address, role: .sender, options: options)
            }
        }
        let sender = try here.sender("front")
        let receiver = try there.receiver("front")
        _ = try pass(1, from: sender, to: [receiver])
        receiver.close()
        sender.cancel()
        try here.wait(for: "front lost")
        try here.wait(for: "front ended: failed: the stream's sender was lost")
        try there.wait(for: "front ended")
        try here.end()
        try there.end()
    }

    @Test func invalidOptionsAreRefused() throws {
        for change in [
            { $0.maximumStreams = 0 }, { $0.returnTimeout = .seconds(-1) }, { $0.window = .fixed(0) },
        ] as [(inout RelayOptions) -> Void] {
            var options = RelayOptions()
            change(&options)
            #expect(throws: FrameStreamingError.self) { try FrameRelay(options: options) }
        }
        var options = TCPOptions()
        options.stream = "front"
        #expect(throws: FrameStreamingError.self) { try TCPListener(relayingOn: "127.0.0.1:0", options: options) }
        let ordinary = try TCPListener(on: "127.0.0.1:0", role: .receiver)
        #expect(throws: FrameStreamingError.self) { try ordinary.serve(try FrameRelay(), onError: { _ in }) }
    }

    /// Half a HELLO, another protocol, or nothing: each ends its own connection only.
    @Test func strangersAreToldWhatIsWrong() throws {
        let station = try Station()
        for opening in ["GET / HTTP/1.0\r\n\r\n", "12, ", "\u{16}\u{3}\u{1}"] {
            let peer = try RawPeer(port: station.listener.port)
            peer.send(opening)
            peer.shutdownWriting()
            #expect(peer.waitForEnd())
        }
        let trickling = try RawPeer(port: station.listener.port)
        for byte in try golden("HELLO") { trickling.send([byte]) }
        #expect(trickling.receive(1) == [WireType.welcome.rawValue])
        trickling.kill()
        let (sender, receiver) = (try station.sender("side"), try station.receiver("side"))
        _ = try pass(1, from: sender, to: [receiver])
        receiver.close()
        try station.end()
    }
}
