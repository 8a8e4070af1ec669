import FrameStreamingCore
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

@Suite(.ownThread(atOnce: 4)) struct TCPConnectTests {
    private func failure(
        _ address: String, role: TCPRole = .sender, handshake: Handshake = .binary, options: TCPOptions = TCPOptions(),
        until deadline: Deadline = soon()
    ) -> FrameStreamingError? {
        do throws(FrameStreamingError) {
            _ = try TCPTransport.connect(
                to: address, role: role, handshake: handshake, options: options, until: deadline)
            return nil
        } catch {
            return error
        }
    }

    @Test func hostNamesAreLookedUp() throws {
        let listener = try TCPListener(on: "localhost:0", role: .receiver, handshake: .automatic)
        let server = try Background { try listener.accept(until: soon()) }
        let client = try TCPTransport.connect(to: "localhost:\(listener.port)", role: .sender, until: soon())
        #expect(client.peer.address.hasSuffix(":\(listener.port)"))
        _ = try server.value()
    }

    @Test func aHostThatDoesNotResolve() {
        let error = failure("nonexistent.invalid:5600")
        #expect(error?.code == .unresolvedHost && error?.subject == "nonexistent.invalid")
    }

    @Test func aPortWithoutAListener() throws {
        let port = try RawListener().port
        let error = failure("127.0.0.1:\(port)")
        #expect(error?.code == .connectionFailed && error?.message.contains("start the peer first") == true)
    }

    @Test(arguments: [
        "", "host", "host:", "host:x", "host:65536", "host:0", ":5600", "::1:5600", "[::1]", "[::1:5600", "host:-1",
    ])
    func addressesThatAreNone(_ address: String) { #expect(failure(address)?.code == .invalidArgument) }

    @Test func anAutomaticHandshakeNeedsAListeningReceiver() throws {
        #expect(failure("127.0.0.1:1", handshake: .automatic)?.code == .invalidArgument)
        #expect(code { _ = try TCPListener(on: "0", role: .sender, handshake: .automatic) } == .invalidArgument)
        #expect(failure("127.0.0.1:1", handshake: .memory)?.code == .invalidArgument)
        #expect(code { _ = try TCPListener(on: "0", role: .receiver, handshake: .memory) } == .invalidArgument)
    }

    @Test func invalidOptions() {
        let changes: [(inout TCPOptions) -> Void] = [
            { $0.stream = String(repeating: "x", count: 256) }, { $0.standstillTimeout = .zero },
            { $0.minimumRate = -1 },
        ]
        for change in changes {
            var options = TCPOptions()
            change(&options)
            #expect(failure("127.0.0.1:1", options: options)?.code == .invalidArgument)
        }
        let tooMany = [PixelFormat](repeating: .jpeg, count: 257)
        var sending = TCPSenderOptions()
        sending.pixelFormats = tooMany
        #expect(failure("127.0.0.1:1", role: .sender(sending))?.code == .invalidArgument)
        let receiving: [(inout TCPReceiverOptions) -> Void] = [
            { $0.creditAhead = 0 }, { $0.maximumFrameByteCount = 0 }, { $0.maximumFrameByteCount = 1 << 31 },
            { $0.pixelFormats = tooMany },
        ]
        for change in receiving {
            var options = TCPReceiverOptions()
            change(&options)
            #expect(failure("127.0.0.1:1", role: .receiver(options))?.code == .invalidArgument)
        }
    }

    @Test func aPeerThatDoesNotAnswer() throws {
        let listener = try RawListener()
        var options = TCPOptions()
        options.handshakeTimeout = .milliseconds(50)
        #expect(failure("127.0.0.1:\(listener.port)", options: options)?.code == .timedOut)
        #expect(failure("127.0.0.1:\(listener.port)", until: .after(.milliseconds(50)))?.code == .timedOut)
    }

    @Test func aPeerThatClosesInsteadOfAnAnswer() throws {
        let listener = try RawListener()
        let server = try Background {
            let peer = listener.accept()
            let hello = peer.receive(WirePrefix.length + Hello.headerLength + 4)
            return hello.first
        }
        let error = failure("127.0.0.1:\(listener.port)")
        #expect(error?.code == .connectionFailed)
        #expect(error?.message.contains("busy with another sender, or has ended") == true)
        #expect(try server.value() == WireType.hello.rawValue)
    }

    @Test func aPeerThatAnswersNonsense() throws {
        let listener = try RawListener()
        let server = try Background {
            let peer = listener.accept()
            peer.send("ok")
            return peer.receiveToEnd().count
        }
        #expect(failure("127.0.0.1:\(listener.port)")?.code == .protocolViolation)
        #expect(try server.value() > 0)
    }

    @Test(arguments: [TCPRole.sender, .receiver]) func twoOfOneRole(_ role: TCPRole) throws {
        let listener = try TCPListener(on: "0", role: role, handshake: .binary)
        let server = try Background { try listener.accept(until: soon()) }
        do {
            _ = try TCPTransport.connect(to: "127.0.0.1:\(listener.port)", role: role, until: soon())
            Issue.record("two of a kind agreed")
        } catch {
            #expect(error.code == .rejected && error.message.contains("one must be the other"))
        }
        #expect(server.error()?.code == .rejected)
    }

    @Test func anotherThreadCancels() throws {
        let listener = try RawListener()
        let cancellation = TCPCancellation()
        var options = TCPOptions()
        options.handshakeTimeout = .seconds(60)
        let connecting = try Background { [options] in
            try TCPTransport.connect(
                to: "127.0.0.1:\(listener.port)", role: .sender, options: options, until: .never,
                cancellation: cancellation)
        }
        let peer = listener.accept()
        _ = peer.receive(8)
        cancellation.cancel()
        #expect(connecting.error()?.code == .cancelled)
        #expect(
            code {
                _ = try TCPTransport.connect(
                    to: "localhost:\(listener.port)", role: .sender, until: .never, cancellation: cancellation)
            } == .cancelled)
    }
}
