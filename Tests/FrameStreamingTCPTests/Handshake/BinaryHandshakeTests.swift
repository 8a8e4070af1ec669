import FrameStreamingCore
import Testing

@testable import FrameStreamingTCP

@Suite struct BinaryHandshakeTests {
    private func hello(_ role: TCPRole, session: UInt64 = 0, credit: UInt64 = 0, stream: String = "") -> Hello {
        var hello = Hello(role: role.wireCode, maximumFrameByteCount: 1000, bootID: Array(0..<16), stream: stream)
        hello.session = session
        hello.creditThrough = credit
        return hello
    }

    /// Runs both sides against each other and returns what they agreed, or the errors.
    private func run(
        _ connecting: Hello, _ accepting: Hello,
        consumed: @escaping @Sendable (UInt64) -> UInt64 = { _ in 0 }
    ) throws -> (connecting: BinaryHandshake.Agreement, accepting: BinaryHandshake.Agreement) {
        var connecting = connecting
        if connecting.role == TCPRole.receiver.wireCode { connecting.lastConsumed = consumed(connecting.session) }
        var client = BinaryHandshake.connecting(connecting)
        var server = BinaryHandshake.accepting(accepting, consumed: consumed)
        var toServer = InputBuffer(client.opening())
        let atServer = try outcome(server.take(from: &toServer))
        var toClient = InputBuffer(atServer.reply)
        let atClient = try outcome(client.take(from: &toClient))
        return (atClient.agreement, atServer.agreement)
    }

    private func outcome(
        _ action: BinaryHandshake.Action?
    ) throws -> (agreement: BinaryHandshake.Agreement, reply: [UInt8]) {
        switch action {
        case .established(let agreement, let reply): return (agreement, reply)
        case .failed(let error, _): throw error
        case nil: throw FrameStreamingError(.truncatedInput, "the handshake needs more")
        }
    }

    @Test func aConnectingSenderLearnsCreditAndWhatWasConsumed() throws {
        let (client, server) = try run(
            hello(.sender, session: 77, stream: "front"), hello(.receiver, credit: 5)
        ) { $0 == 77 ? 41 : 0 }
        #expect(client.creditThrough == 5 && server.creditThrough == 5)
        #expect(client.session == 77 && server.session == 77)
        #expect(client.resumedFrom == 41 && server.resumedFrom == 41)
        #expect(client.stream == "front" && server.stream == "front")
    }

    @Test func anUnknownSessionBeginsAtZero() throws {
        let (client, server) = try run(hello(.sender, session: 78), hello(.receiver, credit: 5)) { $0 == 77 ? 41 : 0 }
        #expect(client.resumedFrom == 0 && server.resumedFrom == 0 && server.session == 78)
    }

    @Test(arguments: [(77, 41), (78, 0), (0, 0)] as [(UInt64, UInt64)])
    func aConnectingReceiverNamesTheSessionItKnows(_ known: UInt64, _ resumes: UInt64) throws {
        let (client, server) = try run(
            hello(.receiver, session: known, credit: 3), hello(.sender, session: 77)
        ) { $0 == known ? 41 : 0 }
        #expect(client.session == 77 && server.session == 77)
        #expect(client.resumedFrom == resumes && server.resumedFrom == resumes)
        #expect(client.creditThrough == 3 && server.creditThrough == 3)
    }

    /// No frame could ever be sent with these parameters: the accepting side refuses them,
    /// and so does a connecting sender.
    @Test(arguments: [true, false], [(0, []), (1000, [PixelFormat.gray8]), (0, [.jpeg])] as [(UInt32, [PixelFormat])])
    func aReceiverThatCouldTakeNoFrameIsRefused(_ senderConnects: Bool, _ takes: (UInt32, [PixelFormat])) throws {
        var (sender, receiver) = (hello(.sender), hello(.receiver, credit: 5))
        sender.pixelFormats = [.jpeg]
        (receiver.maximumFrameByteCount, receiver.pixelFormats) = takes
        let error = #expect(throws: FrameStreamingError.self) {
            _ = try senderConnects ? run(sender, receiver) : run(receiver, sender)
        }
        #expect(error?.code == .rejected)
        if takes.0 == 0 {
            #expect(error?.message.contains("takes no image of more than 0 bytes") == true)
        } else {
            #expect(
                error?.message.contains("takes GRAY8 (GREY) only, and the sender has JPEG") == true, "\(error as Any)")
        }
        if senderConnects { return }
        // The accepting sender gives the reason.
        var server = BinaryHandshake.accepting(sender, consumed: { _ in 0 })
        var input = InputBuffer(receiver.marshal(.hello))
        guard case .failed(_, let reply) = server.take(from: &input) else { return }
        var client = BinaryHandshake.connecting(receiver)
        var answer = InputBuffer(reply)
        guard case .failed(let told, _) = client.take(from: &answer) else {
            Issue.record("a REJECT was taken for a WELCOME")
            return
        }
        #expect(told.code == .rejected && told.message.contains("code 6"))
    }

    @Test func aSenderDoesNotSayWhichFormatsItHas() throws {
        var (sender, receiver) = (hello(.sender), hello(.receiver, credit: 5))
        sender.pixelFormats = [.jpeg, .gray8]
        receiver.pixelFormats = [.gray8]
        #expect(try run(sender, receiver).accepting.peer.pixelFormats.isEmpty)
        #expect(try run(receiver, sender).connecting.peer.pixelFormats.isEmpty)
    }

    @Test(arguments: [TCPRole.sender, .receiver]) func twoOfOneRoleAreRejected(_ role: TCPRole) throws {
        var server = BinaryHandshake.accepting(hello(role), consumed: { _ in 0 })
        var input = InputBuffer(hello(role).marshal(.hello))
        guard case .failed(let error, let reply) = server.take(from: &input) else {
            Issue.record("two of a kind agreed")
            return
        }
        #expect(error.code == .rejected)
        var client = BinaryHandshake.connecting(hello(role))
        var answer = InputBuffer(reply)
        guard case .failed(let told, _) = client.take(from: &answer) else {
            Issue.record("a REJECT was taken for a WELCOME")
            return
        }
        #expect(told.code == .rejected && told.message.contains("code 3"))
    }

    @Test func aLaterVersionThatStillSpeaksThisOneIsWelcome() throws {
        var later = hello(.sender)
        later.version = 9
        later.optionalCapabilities = .max
        var server = BinaryHandshake.accepting(hello(.receiver, credit: 1), consumed: { _ in 0 })
        var input = InputBuffer(later.marshal(.hello))
        let (_, reply) = try outcome(server.take(from: &input))
        var parser = MessageParser(allowed: [.welcome], maximumFrameByteCount: 0)
        var answer = InputBuffer(reply)
        guard case .message(.welcome(let welcome)) = try parser.take(from: &answer) else {
            Issue.record("no WELCOME")
            return
        }
        #expect(welcome.version == 1)
    }

    @Test func aWelcomeThatDoesNotFitIsRefusedByTheConnectingSide() throws {
        for change in [
            { $0.criticalCapabilities = 4 },
            {
                $0.version = 7; $0.minimumVersion = 7
            },
            // The version of WELCOME is the one that is spoken: a version that was not offered is
            // refused, whatever else the peer supports.
            { $0.version = 2 }, { $0.version = .max },
            {
                $0.version = 0; $0.minimumVersion = 0
            },
        ] as [(inout Hello) -> Void] {
            var welcome = hello(.receiver, credit: 1)
            change(&welcome)
            var client = BinaryHandshake.connecting(hello(.sender))
            var input = InputBuffer(welcome.marshal(.welcome))
            #expect { try outcome(client.take(from: &input)) } throws: {
                ($0 as? FrameStreamingError)?.code == .rejected
            }
        }
    }

    @Test func cutsAtEveryPositionMakeNoDifference() throws {
        // A message of the stream follows the handshake in the same read, and stays in the input.
        let bytes = try golden("HELLO") + golden("PING")
        for cut in 0...bytes.count {
            var server = BinaryHandshake.accepting(hello(.receiver, credit: 1), consumed: { _ in 0 })
            var input = InputBuffer(Array(bytes[..<cut]))
            var action = server.take(from: &input)
            var left = input.count
            if action == nil {
                var rest = InputBuffer(Array(bytes[cut...]))
                action = server.take(from: &rest)
                left = rest.count
            } else {
                left += bytes.count - cut
            }
            #expect(try outcome(action).agreement.stream == "front", "cut at \(cut)")
            #expect(try left == golden("PING").count, "cut at \(cut)")
        }
    }
}
