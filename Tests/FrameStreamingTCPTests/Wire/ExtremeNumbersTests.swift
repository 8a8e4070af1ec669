import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import Glibc
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Every integer of every message at its extremes, sent to a sender and to a receiver that
/// calculate with it: each ends with figures that add up, and none traps.
@Suite(.ownThread(atOnce: 4)) struct ExtremeNumbersTests {
    /// The messages of a peer, and when it sends them.
    struct Script: Sendable {
        var opening: [UInt8]
        /// Sent in answer to each frame, or one after another to a receiver.
        var messages: [[UInt8]]
    }

    private static let bootOfAnother = [UInt8](repeating: 7, count: 16)
    private static let frames = 5

    private static func hello(_ role: TCPRole, session: UInt64 = 0, consumed: UInt64 = 0) -> Hello {
        var hello = Hello(
            role: role.wireCode, maximumFrameByteCount: 1 << 20, bootID: bootOfAnother, stream: "extremes")
        hello.session = session
        hello.lastConsumed = consumed
        hello.creditThrough = 16
        hello.optionalCapabilities = Hello.requestsBit
        return hello
    }

    private static func acknowledgement(_ sequence: UInt64) -> Acknowledgement {
        var word = Acknowledgement(sequence: sequence, creditThrough: sequence + 16)
        word.arrivalTime = MonotonicTime(nanoseconds: 1_000_000 * Int64(sequence))
        word.consumedTime = MonotonicTime(nanoseconds: 1_000_000 * Int64(sequence) + 500_000)
        (word.queueNanoseconds, word.decodeNanoseconds) = (100_000, 200_000)
        return word
    }

    private static let pong = Pong(answering: Ping(id: 1, sendTime: monotonicNow()), receiveTime: 5, sendTime: 6)

    /// The messages that only a receiver sends.
    private static func receiversFields(_ sequence: UInt64) -> [WireFields] {
        [
            WireFields(
                .acknowledgement, acknowledgement(sequence).marshal(), header: [8, 8, 8, 8, 8, 8, 4, 1, 1, 2, 8, 8]),
            WireFields(.request, WireRequest(.quality(50)).marshal(), header: [1, 1, 2, 4]),
        ]
    }

    /// The messages that both sides send.
    private static var fieldsOfBoth: [WireFields] {
        [
            WireFields(.ping, Ping(id: 1, sendTime: 5).marshal(), header: [8, 8]),
            WireFields(.pong, pong.marshal(), header: [8, 8, 8, 8]),
            WireFields(.bye, Bye("enough").marshal(), header: [2, 2]),
            WireFields(.byeAcknowledgement, ByeAcknowledgement(consumedThrough: 3).marshal(), header: [8]),
        ]
    }

    // MARK: To a sender

    /// A script mostly waits for a silent peer, so several run at once.
    private func runSenders(_ scripts: [Script]) async throws {
        try await sideBySide(scripts, atOnce: 4) { try runSender($0) }
    }

    /// Runs a sender against a receiver that follows `script`, until both have ended.
    private func runSender(_ script: Script) throws {
        let (descriptor, peer) = try makeSocketPair()
        let speaking = try Background {
            peer.send(script.opening)
            self.answerFrames(peer, with: script.messages)
            peer.shutdownWriting()
            return peer.waitForEnd()
        }
        let handshakeDriver = try HandshakeDriver(
            role: .sender, handshake: .binary, options: TCPOptions(), listens: true)
        var options = SenderOptions(policy: .latest)
        options.adaptiveQuality = AdaptiveQuality(20...80, allowsScale: true, allowsRate: true)
        (options.drainTimeout, options.finishTimeout) = (.milliseconds(300), .milliseconds(300))
        let channel = try Channel(descriptor)
        do {
            let transport = try handshakeDriver.accept(channel, until: soon())
            let sender = try FrameSender(codec: IdentityCodec(), transport: transport, options: options)
            var source = Pictures()
            _ = try? sender.run(&source)
            let total = sender.summary.total
            #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
            #expect(!"\(sender.summary) \(total.ackTime) \(total.wireTime) \(total.receiverTime)".isEmpty)
        } catch {
            // An impossible handshake is refused with a reason.
            #expect(!error.message.isEmpty)
        }
        channel.close()
        #expect(try speaking.value(), "the sender did not end")
    }

    /// Frames that are available at once, each as soon as the one before was taken.
    private struct Pictures: FrameSource {
        let isLive = false
        private var number: UInt64 = 0

        mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
            guard number < frames else { return nil }
            number += 1
            do { return .frame(try makeFrame(number, byteCount: 10)) } catch {
                throw FrameStreamingError(.invalidArgument, "\(error)")
            }
        }
    }

    /// Whether the other end sends something soon. It waits for more if a length
    /// promised a longer message than it got.
    private func isHeard(_ peer: RawPeer) -> Bool {
        var waiting = pollfd(fd: peer.socket, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waiting, 1, 150) > 0
    }

    /// Answers each frame with its acknowledgement and the next of `messages`,
    /// until the sender ends or is silent.
    private func answerFrames(_ peer: RawPeer, with messages: [[UInt8]]) {
        var rest = messages[...]
        while isHeard(peer) {
            let prefix = peer.receive(WirePrefix.length)
            guard prefix.count == WirePrefix.length, let message = try? WirePrefix(unmarshal: prefix[...]) else {
                return
            }
            let body = peer.receive(message.headerLength + message.payloadLength)
            switch message.type {
            case WireType.frame.rawValue:
                guard let next = rest.popFirst() else { return }
                peer.send(next)
            case WireType.bye.rawValue:
                for message in rest { peer.send(message) }
                peer.send(ByeAcknowledgement(consumedThrough: 0).marshal())
                return
            case WireType.ping.rawValue:
                if let ping = try? Ping(header: body[...]) {
                    peer.send(Pong(answering: ping, receiveTime: 7, sendTime: 8).marshal())
                }
            default: break
            }
        }
    }

    @Test func everyNumberOfAHelloToASender() async throws {
        let words = (1...5).map { Self.acknowledgement($0).marshal() }
        try await runSenders(
            WireFields.hello(.hello, Self.hello(.receiver)).variants.map { Script(opening: $0, messages: words) })
    }

    @Test(arguments: [1, 2] as [UInt64]) func everyNumberOfWhatASenderHears(first: UInt64) async throws {
        var scripts: [Script] = []
        let opening = Self.hello(.receiver).marshal(.hello)
        for number in Self.receiversFields(first).indices {
            // Each variant replaces one acknowledgement of a correct stream, or all from there on.
            let ofEach = (1...5).map { Self.receiversFields($0)[number].variants }
            for variant in ofEach[0].indices {
                let messages = (0..<5).map { index in
                    let isVaried = index + 1 >= Int(first)
                    let word = Self.acknowledgement(UInt64(index) + 1).marshal()
                    guard isVaried else { return word }
                    return number == 0 ? ofEach[index][variant] : ofEach[index][variant] + word
                }
                scripts.append(Script(opening: opening, messages: messages))
            }
        }
        for fields in Self.fieldsOfBoth {
            for variant in fields.variants {
                let messages = (1...5 as ClosedRange<UInt64>).map { sequence in
                    (sequence >= first ? variant : []) + Self.acknowledgement(sequence).marshal()
                }
                scripts.append(Script(opening: opening, messages: messages))
            }
        }
        try await runSenders(scripts)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func mixedExtremesToASender(seed: UInt64) async throws {
        var numbers = SeededNumbers(seed: seed)
        var scripts: [Script] = []
        for _ in 0..<50 {
            let messages = (1...5 as ClosedRange<UInt64>).map { sequence in
                // The number stays, because any other ends the stream.
                var fields = Self.receiversFields(sequence)[0]
                fields = WireFields(fields, keeping: [8, 24])
                var pongs: [UInt8] = []
                for _ in 0..<2 { pongs += Self.fieldsOfBoth[1].mixture(using: &numbers) }
                return pongs + fields.mixture(using: &numbers)
            }
            scripts.append(Script(opening: Self.hello(.receiver).marshal(.hello), messages: messages))
        }
        try await runSenders(scripts)
    }

    // MARK: To a receiver

    private func runReceivers(_ scripts: [Script]) async throws {
        try await sideBySide(scripts, atOnce: 4) { try runReceiver($0) }
    }

    /// Runs a receiver against a sender that follows `script`, until both have ended.
    private func runReceiver(_ script: Script) throws {
        let (descriptor, peer) = try makeSocketPair()
        let speaking = try Background {
            peer.send(script.opening)
            for message in script.messages { peer.send(message) }
            peer.shutdownWriting()
            return peer.waitForEnd()
        }
        let handshakeDriver = try HandshakeDriver(
            role: .receiver, handshake: .binary, options: TCPOptions(), listens: true)
        let channel = try Channel(descriptor)
        do {
            let transport = try handshakeDriver.accept(channel, until: soon())
            let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
            defer { receiver.close() }
            while let received = try receiver.next(until: soon()) {
                #expect(!"\(String(describing: received.age)) \(received.info)".isEmpty)
            }
            let figures = receiver.statistics
            #expect(!"\(figures) \(receiver.takeInterval())".isEmpty)
        } catch {
            #expect(!error.message.isEmpty && error.code != .timedOut)
        }
        channel.close()
        #expect(try speaking.value(), "the receiver did not end")
    }

    private static func frame(_ sequence: UInt64) -> WireFields {
        var info = FrameInfo(sequence: sequence)
        (info.sendTime, info.encodeNanoseconds, info.creditWaitNanoseconds) = (MonotonicTime(nanoseconds: 10), 2, 3)
        var header = FrameHeader(info: info, width: 8, height: 8, pixelFormat: .jpeg)
        header.captureTime = CaptureTime(nanoseconds: 4)
        let metadata: [UInt8] = [1, 2]
        header.metadataLength = metadata.count
        header.relays = [5, 6]
        return WireFields(
            .frame, header.marshal(metadata: metadata, imageBytes: 4) + [9, 9, 9, 9],
            header: [8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 1, 1, 1, 1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 8])
    }

    @Test func everyNumberOfAHelloToAReceiver() async throws {
        let frames = (1...3).map { Self.frame($0).message }
        let hellos = WireFields.hello(.hello, Self.hello(.sender, session: 5)).variants
        try await runReceivers(hellos.map { Script(opening: $0, messages: frames + [Bye("").marshal()]) })
    }

    @Test(arguments: [1, 2] as [UInt64]) func everyNumberOfWhatAReceiverHears(first: UInt64) async throws {
        var scripts: [Script] = []
        let opening = Self.hello(.sender).marshal(.hello)
        let ofEach = (1...3).map { Self.frame($0).variants }
        for variant in ofEach[0].indices {
            let frames = (1...3).map { sequence in
                sequence >= first ? ofEach[Int(sequence) - 1][variant] : Self.frame(sequence).message
            }
            scripts.append(Script(opening: opening, messages: frames + [Bye("").marshal()]))
        }
        for fields in Self.fieldsOfBoth + [WireFields(.sourceLost, WireMessage.sourceLost("x").marshal(), header: [])] {
            for variant in fields.variants {
                let messages = (1...3).flatMap { sequence in
                    [sequence >= first ? variant : [], Self.frame(sequence).message]
                }
                scripts.append(Script(opening: opening, messages: messages + [Bye("").marshal()]))
            }
        }
        try await runReceivers(scripts)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func mixedExtremesToAReceiver(seed: UInt64) async throws {
        var numbers = SeededNumbers(seed: seed)
        var scripts: [Script] = []
        for _ in 0..<50 {
            let messages = (1...6 as ClosedRange<UInt64>).map { sequence in
                // Number, size and the metadata's length stay, because any other ends the stream.
                let frame = WireFields(Self.frame(sequence), keeping: [8, 60, 64, 68, 80])
                var pongs: [UInt8] = []
                for _ in 0..<2 { pongs += Self.fieldsOfBoth[1].mixture(using: &numbers) }
                return pongs + frame.mixture(using: &numbers)
            }
            scripts.append(
                Script(opening: Self.hello(.sender).marshal(.hello), messages: messages + [Bye("").marshal()]))
        }
        try await runReceivers(scripts)
    }

    // MARK: From the side that connects

    @Test(arguments: [TCPRole.sender, .receiver]) func everyNumberOfAnAnswer(role: TCPRole) throws {
        let welcome = WireFields.hello(.welcome, Self.hello(role.other, session: 5))
        let reject = WireFields(.reject, Reject(.busy, "no room").marshal(), header: [2, 2])
        for variant in welcome.variants + reject.variants {
            let (descriptor, peer) = try makeSocketPair()
            let speaking = try Background {
                _ = peer.receiveOnce(4096)
                peer.send(variant)
                peer.shutdownWriting()
                return peer.waitForEnd()
            }
            var (sending, receiving) = (TCPSenderOptions(), TCPReceiverOptions())
            (sending.session, receiving.lastSession) = (5, 5)
            let handshakeDriver = try HandshakeDriver(
                role: role.isSender ? .sender(sending) : .receiver(receiving), handshake: .binary,
                options: TCPOptions(), listens: false)
            let channel = try Channel(descriptor)
            do {
                let transport = try handshakeDriver.connect(channel, until: soon())
                if role.isSender {
                    let sender = try FrameSender(codec: IdentityCodec(), transport: transport)
                    var source = ScriptedSource([try makeFrame(1), try makeFrame(2)])
                    _ = try? sender.run(&source)
                } else {
                    let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
                    _ = try? receiver.next(until: soon())
                    receiver.close()
                }
            } catch let error as FrameStreamingError {
                #expect(!error.message.isEmpty)
            }
            channel.close()
            #expect(try speaking.value(), "the side that connects did not end")
        }
    }

    // MARK: A session that comes back

    /// A receiver breaks its connection after `acknowledged` frames and comes back with any count.
    @Test(arguments: [0, 1, 3, UInt64(Int64.max), 1 << 63, .max - 2, .max - 1, .max] as [UInt64])
    func aReceiverThatComesBackWithAnyCount(consumed: UInt64) throws {
        let acceptor = try TCPAcceptor(on: "0", role: .sender)
        let sender = try FrameSender(
            codec: IdentityCodec(), provider: acceptor, options: SenderOptions(policy: .reliable))
        let sending = try Background {
            var source = Pictures()
            return try sender.run(&source)
        }
        let first = try RawPeer(port: acceptor.port)
        first.send(Self.hello(.receiver).marshal(.hello))
        let welcome = try self.welcome(first)
        answer(first, frames: 2)
        first.kill()
        // It comes back again with a count that is impossible in this session,
        // until all frames were acknowledged.
        let second = try RawPeer(port: acceptor.port)
        second.send(Self.hello(.receiver, session: welcome.session, consumed: consumed).marshal(.hello))
        _ = try self.welcome(second)
        answer(second, frames: .max)
        let total = try sending.value().total
        #expect(total.produced == Self.frames && total.lost == 0)
        #expect(total.acknowledged == Self.frames)
    }

    private func welcome(_ peer: RawPeer) throws -> Hello {
        let prefix = try WirePrefix(unmarshal: peer.receive(WirePrefix.length)[...])
        let header = peer.receive(prefix.headerLength)
        return try Hello(header: header[...], payload: peer.receive(prefix.payloadLength)[...])
    }

    /// Acknowledges `frames` frames, and answers a goodbye.
    private func answer(_ peer: RawPeer, frames: Int) {
        var count = 0
        while count < frames {
            let bytes = peer.receive(WirePrefix.length)
            guard bytes.count == WirePrefix.length, let prefix = try? WirePrefix(unmarshal: bytes[...]) else { return }
            _ = peer.receive(prefix.headerLength + prefix.payloadLength)
            switch prefix.type {
            case WireType.frame.rawValue:
                count += 1
                peer.send(Self.acknowledgement(UInt64(count)).marshal())
            case WireType.bye.rawValue:
                peer.send(ByeAcknowledgement(consumedThrough: UInt64(count)).marshal())
                // As a receiver does: the sender waits for the end that follows its answer.
                peer.shutdownWriting()
                return
            default: break
            }
        }
    }
}
