import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import Glibc
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// The seam between connections and encryption, with a stand-in for the encryption that gives bytes
/// out in pieces and keeps them back.
@Suite(.ownThread(atOnce: 4)) struct SecuredStreamTests {
    private func options(_ security: MaskedSecurity = MaskedSecurity()) -> TCPOptions {
        var options = TCPOptions()
        options.security = TCPSecurity(security)
        return options
    }

    @Test(arguments: [TCPRole.sender, .receiver], [Handshake.binary, .text])
    func framesPassInBothRolesAndHandshakes(_ role: TCPRole, _ handshake: Handshake) throws {
        let (connecting, listening) = try makePair(role, handshake: handshake, options: options())
        let (sender, receiver) = role.isSender ? (connecting, listening) : (listening, connecting)
        #expect(sender.peer.identity == "masked" && receiver.peer.identity == "masked")
        let receiving = try Background {
            var pictures: [[UInt8]] = []
            while let message = try receiver.receive(until: soon()) {
                guard case .frame(let frame, let info) = message else { continue }
                pictures.append(frame.contents)
                try receiver.acknowledge(info.sequence)
            }
            return pictures
        }
        let acknowledged = try Background {
            var count = 0
            while let message = try sender.receive(until: soon()) {
                if case .acknowledgement = message { count += 1 }
                if count == 3 { break }
            }
            return count
        }
        let frames = try (1...UInt64(3)).map { try makeFrame($0, byteCount: 200_000) }
        for (frame, number) in zip(frames, 1...UInt64(3)) {
            try sender.send(.frame(frame, FrameInfo(sequence: number)), until: soon())
        }
        #expect(try acknowledged.value() == 3)
        let finishing = try Background { try sender.finish("end", until: soon()) }
        #expect(try receiving.value() == frames.map(\.contents))
        try receiver.finish("", until: soon())
        try finishing.value()
    }

    /// A poll does not show the acknowledgements that the stream has taken from the socket.
    @Test func aPollerLooksAgainWhileBytesMayBeLeft() throws {
        let (sender, receiver) = try makePair(options: options(MaskedSecurity(piece: 40)))
        for number in 1...UInt64(8) {
            try sender.send(.frame(makeFrame(number), FrameInfo(sequence: number)), until: soon())
        }
        for number in 1...UInt64(8) {
            _ = try receiver.receiveFrame()
            try receiver.acknowledge(number)
        }
        let socket = try #require(sender.watched)
        var messages: [Message] = []
        var lookBy: Int64? = 0
        while messages.count < 8 {
            // As the poller waits: for input, or for the time that the connection names.
            if lookBy.map({ $0 > monotonicNow() }) ?? true {
                let limit = min(lookBy ?? .max, try #require(soon().nanoseconds))
                let readiness = try FrameStreamingSystem.wait(
                    for: PollEvents.input, on: socket.raw, until: limit, wakeUp: nil)
                try #require(readiness != .timedOut || lookBy != nil, "the rest was never looked for")
            }
            let needs = try #require(try sender.receiveArrived(into: &messages))
            lookBy = needs.lookBy?.nanoseconds
            #expect(messages.isEmpty || messages.count == 8 || lookBy.map { $0 <= monotonicNow() } == true)
        }
        sender.close()
        receiver.close()
    }

    /// Bytes that the stream has taken and the socket has not are written before the message counts
    /// as sent, whoever writes.
    @Test func nothingStaysBehindWhenTheSocketIsFull() throws {
        let security = MaskedSecurity(room: 5000)
        let (descriptor, peer) = try makeSocketPair()
        try descriptor.setOption(SOL_SOCKET, SO_SNDBUF, 4096)
        let channel = try Channel(descriptor)
        peer.send([security.word])
        _ = try channel.secure(by: security, host: nil, until: soon()) { _ in nil }
        #expect(peer.receive(1) == [security.word])
        let writer = MessageWriter(channel, TCPOptions().progressLimits)
        let message = (0..<200_000).map { patternByte(1, $0) }
        let writing = try Background {
            try writer.send(.goodbye, until: soon()) { MessageWriter.Outgoing(message) }
        }
        #expect(peer.receive(message.count).map { $0 ^ 0xA5 } == message)
        try writing.value()
        channel.close()
    }

    @Test func aPeerWithAnotherWordIsATypedErrorOnBothSides() throws {
        let listener = try TCPListener(on: "0", role: .receiver, options: options())
        let port = listener.port
        let other = options(MaskedSecurity(word: 0x11))
        let connecting = try Background {
            try TCPTransport.connect(to: "127.0.0.1:\(port)", role: .sender, options: other, until: soon())
        }
        #expect(code { _ = try listener.accept(until: soon()) } == .notAuthenticated)
        #expect(connecting.error()?.code == .notAuthenticated)
    }

    @Test(arguments: [Handshake.binary, .text, .automatic]) func aSilentPeerHasTheHandshakesTime(
        _ handshake: Handshake
    ) throws {
        var options = options()
        options.handshakeTimeout = .milliseconds(200)
        let listener = try TCPListener(on: "0", role: .receiver, handshake: handshake, options: options)
        let peer = try RawPeer(port: listener.port)
        #expect(code { _ = try listener.accept(until: soon()) } == .timedOut)
        let said = peer.receiveToEnd()
        #expect(said == [MaskedSecurity().word])
    }

    /// What a key permits.
    @Test(arguments: [
        (SecuredPeer(identity: "a", isSender: true), "door", true),
        (SecuredPeer(identity: "a", isSender: false), "door", false),
        (SecuredPeer(identity: "a", streams: ["door", "gate"]), "door", true),
        (SecuredPeer(identity: "a", streams: ["gate"]), "door", false),
        (SecuredPeer(identity: "a", streams: ["gate"]), "", false),
        (SecuredPeer(identity: "a", streams: []), "door", false),
    ]) func aKeyThatIsForAnotherUseIsRefused(_ peer: SecuredPeer, _ stream: String, _ isPermitted: Bool) throws {
        let listener = try TCPListener(
            on: "0", role: .receiver, options: options(MaskedSecurity(peer: peer)))
        let port = listener.port
        var sending = options(MaskedSecurity())
        sending.stream = stream
        let connecting = try Background { [sending] in
            try TCPTransport.connect(to: "127.0.0.1:\(port)", role: .sender, options: sending, until: soon())
        }
        if isPermitted {
            let transport = try listener.accept(until: soon())
            #expect(transport.peer.identity == "a" && transport.peer.stream == stream)
            try connecting.value().close()
            return
        }
        #expect(code { _ = try listener.accept(until: soon()) } == .rejected)
        let error = try #require(connecting.error())
        #expect(error.code == .rejected && error.message.contains("the key of a is for"))
    }

    /// The sender's name counts: what a receiver says of it opens nothing.
    @Test func anUnnamedSenderIsNotWhatAReceiverCallsIt() throws {
        let security = MaskedSecurity(peer: SecuredPeer(identity: "a", streams: ["door"]))
        let listener = try TCPListener(on: "0", role: .sender, options: options(security))
        let port = listener.port
        var receiving = options(MaskedSecurity())
        receiving.stream = "door"
        let connecting = try Background { [receiving] in
            try TCPTransport.connect(to: "127.0.0.1:\(port)", role: .receiver, options: receiving, until: soon())
        }
        #expect(code { _ = try listener.accept(until: soon()) } == .rejected)
        #expect(connecting.error()?.code == .rejected)
    }

    @Test func theTextHandshakeIsRefusedWhereAKeyHasStreams() throws {
        let security = MaskedSecurity(peer: SecuredPeer(identity: "a", streams: ["door"]))
        let listener = try TCPListener(on: "0", role: .receiver, handshake: .text, options: options(security))
        let port = listener.port
        let other = options()
        let connecting = try Background {
            let transport = try TCPTransport.connect(
                to: "127.0.0.1:\(port)", role: .sender, handshake: .text, options: other, until: soon())
            _ = try transport.receive(until: soon())
        }
        #expect(code { _ = try listener.accept(until: soon()) } == .rejected)
        #expect(connecting.error()?.code == .endedWithoutGoodbye)
    }

    @Test func aCredentialForAnotherUseIsNoticedBeforeAnythingIsDone() {
        var options = options()
        options.stream = "forbidden"
        #expect(code { _ = try TCPListener(on: "0", role: .sender, options: options) } == .notPermitted)
        #expect(code { _ = try TCPConnector(to: "127.0.0.1:1", role: .sender, options: options) } == .notPermitted)
    }
}
