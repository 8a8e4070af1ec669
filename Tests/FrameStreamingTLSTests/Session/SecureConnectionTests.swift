import FrameStreamingCore
import FrameStreamingTCP
import FrameStreamingTesting
import FrameStreamingSystem
import TestThreads
import Testing

@testable import FrameStreamingTLS

/// Streams over TLS between two ends that know each other.
@Suite(.ownThread(atOnce: 4)) struct SecureConnectionTests {
    struct Way: Sendable, CustomTestStringConvertible {
        let credentials: Credentials
        let connectorSends: Bool
        let handshake: Handshake
        var testDescription: String { "\(credentials), connector sends: \(connectorSends), \(handshake)" }
    }

    static let ways = Credentials.allCases.flatMap { credentials in
        [true, false].flatMap { sends in
            [Handshake.binary, .text].map { Way(credentials: credentials, connectorSends: sends, handshake: $0) }
        }
    }

    @Test(arguments: ways) func framesPassAndAreAcknowledged(_ way: Way) throws {
        let (connecting, listening) = try makePair(
            way.connectorSends ? .sender : .receiver, handshake: way.handshake,
            connecting: options(try way.credentials.security(listens: false)),
            listening: options(try way.credentials.security(listens: true)))
        #expect(listening.peer.identity == "camera")
        #expect(connecting.peer.identity == (way.credentials == .key ? "camera" : "listener"))
        let (sender, receiver) = way.connectorSends ? (connecting, listening) : (listening, connecting)
        let sizes = [1000, 16_384, 16_385, 1_000_000]
        let receiving = try Background {
            var isRight: [Bool] = []
            while let message = try receiver.receive(until: soon()) {
                guard case .frame(let frame, let info) = message else { continue }
                isRight.append(frame.isPattern(info.sequence) && frame.byteCount == sizes[Int(info.sequence) - 1])
                try receiver.acknowledge(info.sequence)
            }
            return isRight
        }
        let acknowledged = try Background {
            var count = 0
            while count < sizes.count, let message = try sender.receive(until: soon()) {
                if case .acknowledgement = message { count += 1 }
            }
            return count
        }
        for (index, size) in sizes.enumerated() {
            let number = UInt64(index + 1)
            try sender.send(.frame(makeFrame(number, byteCount: size), FrameInfo(sequence: number)), until: soon())
        }
        #expect(try acknowledged.value() == sizes.count)
        let finishing = try Background { try sender.finish("end", until: soon()) }
        #expect(try receiving.value() == sizes.map { _ in true })
        try receiver.finish("", until: soon())
        try finishing.value()
    }

    /// The whole of a sender and a receiver: the poller reads acknowledgements while others send.
    @Test(arguments: Credentials.allCases) func aStreamOfASenderAndAReceiver(_ credentials: Credentials) throws {
        let (connecting, listening) = try makePair(
            connecting: options(try credentials.security(listens: false)),
            listening: options(try credentials.security(listens: true)))
        var sending = SenderOptions()
        sending.policy = .reliable
        let sender = try FrameSender(codec: IdentityCodec(), transport: connecting, options: sending)
        let receiving = try Background {
            let receiver = try FrameReceiver(codec: IdentityCodec(), transport: listening)
            var count: UInt64 = 0
            while let received = try receiver.next(until: soon()) {
                count += 1
                #expect(received.frame.isPattern(count))
            }
            return count
        }
        let frames = try (1...UInt64(300)).map { try makeFrame($0, byteCount: 40_000) }
        var source = ScriptedSource(frames)
        let summary = try sender.run(&source)
        #expect(try receiving.value() == 300)
        #expect(summary.total.acknowledged == 300, "\(summary)")
    }

    /// Both directions at once, each by several threads, through one session. Under ThreadSanitizer
    /// it is the proof that the lock is enough.
    @Test func severalThreadsReadAndWriteAtOnce() throws {
        let (sender, receiver) = try makePair(
            connecting: options(try Credentials.key.security(listens: false)),
            listening: options(try Credentials.key.security(listens: true)))
        let count: UInt64 = 400
        let consumed = Monitor<UInt64>(0)
        let receiving = try Background {
            while let message = try receiver.receive(until: soon()) {
                guard case .frame(let frame, let info) = message else { continue }
                #expect(frame.isPattern(info.sequence))
                try receiver.acknowledge(info.sequence)
            }
        }
        let requesting = try Background {
            for _ in 0..<100 { try receiver.send(.request(.resume), until: soon()) }
        }
        let reading = try Background {
            var requests = 0
            while let message = try sender.receive(until: soon()) {
                switch message {
                case .acknowledgement(let word): consumed.update { $0 = word.sequence }
                case .request(let request):
                    requests += 1
                    try sender.send(
                        .requestAnswer(RequestAnswer(request)), until: soon())
                default: break
                }
            }
            return requests
        }
        for number in 1...count {
            let _: Bool? = consumed.wait(until: soon().nanoseconds) { $0 + 8 >= number ? true : nil }
            try sender.send(
                .frame(makeFrame(number, byteCount: 30_000), FrameInfo(sequence: number)), until: soon())
        }
        try requesting.value()
        let last: Bool? = consumed.wait(until: soon().nanoseconds) { $0 == count ? true : nil }
        #expect(last == true)
        let finishing = try Background { try sender.finish("end", until: soon()) }
        try receiving.value()
        try receiver.finish("", until: soon())
        try finishing.value()
        #expect(try reading.value() == 100)
    }

    /// A second connection of the same side comes back by a ticket, and is proved nevertheless.
    @Test(arguments: [false, true]) func aReconnectWithATicketHasTheSameIdentity(breaks: Bool) throws {
        let listening = options(try Credentials.certificates.security(listens: true))
        let connecting = options(try Credentials.certificates.security(listens: false))
        let listener = try TCPListener(on: "0", role: .receiver, options: listening)
        let port = listener.port
        for _ in 0..<3 {
            let client = try Background {
                try TCPTransport.connect(to: "127.0.0.1:\(port)", role: .sender, options: connecting, until: soon())
            }
            let receiver = try listener.accept(until: soon())
            let sender = try client.value()
            #expect(receiver.peer.identity == "camera" && sender.peer.identity == "listener")
            // The ticket comes with what the listener says first after the handshake.
            try sender.send(.frame(makeFrame(1), FrameInfo(sequence: 1)), until: soon())
            _ = try receiver.receive(until: soon())
            try receiver.acknowledge(1)
            guard case .acknowledgement = try sender.receive(until: soon()) else {
                Issue.record("no acknowledgement")
                return
            }
            if breaks {
                sender.close()
                receiver.close()
                continue
            }
            let finishing = try Background { try sender.finish("end", until: soon()) }
            if case .some = try receiver.receive(until: soon()) { Issue.record("a message after the end") }
            try receiver.finish("", until: soon())
            try finishing.value()
        }
        #expect((connecting.security?.connections as? TLSSecurity)?.resumptions == 2)
    }

    /// A sender whose receiver reads nothing for a while: what TLS has collected is sent in the end.
    @Test func aSlowReceiverGetsEverything() throws {
        let (sender, receiver) = try makePair(
            connecting: options(try Credentials.key.security(listens: false)),
            listening: options(try Credentials.key.security(listens: true)))
        let sending = try Background {
            for number in 1...UInt64(4) {
                try sender.send(
                    .frame(makeFrame(number, byteCount: 2 << 20), FrameInfo(sequence: number)), until: soon())
            }
        }
        for number in 1...UInt64(4) {
            guard case .frame(let frame, let info) = try receiver.receive(until: soon()) else {
                Issue.record("no frame")
                return
            }
            #expect(info.sequence == number && frame.isPattern(number))
        }
        try sending.value()
        sender.close()
        receiver.close()
    }
}
