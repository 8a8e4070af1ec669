import FrameStreamingCore
import FrameStreamingSystem
import Glibc
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Far beyond what anything here takes: a test that hangs fails instead.
func soon() -> Deadline { .after(.seconds(30)) }

extension Background {
    /// The typed error that the call must end with.
    func error() -> FrameStreamingError? { error(as: FrameStreamingError.self) }
}

/// The code of the typed error that `body` throws; nil where it throws none.
func code(_ body: () throws -> Void) -> FrameStreamingError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? FrameStreamingError)?.code
    }
}

extension TCPRole {
    var other: TCPRole { isSender ? .receiver : .sender }
}

/// Two ends of a loopback connection: `connecting` has the role given.
func makePair(
    _ role: TCPRole = .sender, handshake: Handshake = .binary, on address: String = "127.0.0.1:0",
    listening: TCPRole? = nil, options: TCPOptions = TCPOptions()
) throws -> (connecting: TCPTransport, listening: TCPTransport) {
    let listener = try TCPListener(on: address, role: listening ?? role.other, handshake: handshake, options: options)
    let host = listener.address.split(separator: ":").count > 2 ? "[::1]" : "127.0.0.1"
    let port = listener.port
    let client = try Background {
        try TCPTransport.connect(
            to: "\(host):\(port)", role: role, handshake: handshake, options: options, until: soon())
    }
    let server = try listener.accept(until: soon())
    return (try client.value(), server)
}

/// A socket pair: one end as the library uses it, the other as plain calls.
func makeSocketPair() throws -> (Descriptor, RawPeer) {
    let pair = try socketPair()
    let descriptor = Descriptor(pair.0)
    try descriptor.setNonBlocking()
    return (descriptor, RawPeer(socket: pair.1))
}

/// One end of a socket pair as a transport after its handshake, the other as plain calls.
/// `bufferSize` sets the kernel's buffers to their least, so that everything is written and read in
/// pieces. An end that plays another machine, or whose equal boot id is only a claim, is asked for
/// its clock.
func makeRawPair(
    _ role: TCPRole, handshake: Handshake = .binary, options: TCPOptions = TCPOptions(), bufferSize: CInt? = nil,
    isOtherMachine: Bool = false, claimsOurClock: Bool = false, calendarAhead: Int64 = 0,
    takesRequests: Bool = false, answersRequests: Bool = false
) throws -> (TCPTransport, RawPeer) {
    let (descriptor, peer) = try makeSocketPair()
    if let bufferSize {
        try descriptor.setOption(SOL_SOCKET, SO_SNDBUF, bufferSize)
        try descriptor.setOption(SOL_SOCKET, SO_RCVBUF, bufferSize)
    }
    let channel = try Channel(descriptor)
    var options = options
    options.believesBootID = !claimsOurClock
    let handshakeDriver = try HandshakeDriver(role: role, handshake: handshake, options: options, listens: true)
    if handshake == .binary {
        var hello = Hello(
            role: role.other.wireCode, maximumFrameByteCount: 16 << 20,
            bootID: isOtherMachine ? [UInt8](repeating: 9, count: 16) : bootID, stream: "raw")
        hello.creditThrough = 16
        hello.takesRequests = takesRequests
        hello.answersRequests = answersRequests
        hello.realtimeOffset = realtimeOffset() + calendarAhead
        peer.send(hello.marshal(.hello))
    }
    let transport = try handshakeDriver.accept(channel, until: soon())
    if handshake == .binary {
        let prefix = peer.receive(WirePrefix.length)
        try #require(prefix.first == WireType.welcome.rawValue)
        let welcome = try WirePrefix(unmarshal: prefix[...])
        _ = peer.receive(welcome.headerLength + welcome.payloadLength)
    }
    return (transport, peer)
}

extension TCPTransport {
    /// The next message, which must be a frame.
    func receiveFrame(until deadline: Deadline = soon()) throws -> (Frame, FrameInfo) {
        let message = try receive(until: deadline)
        guard case .frame(let frame, let info) = message else {
            throw FrameStreamingError(.malformedInput, "no frame, but \(String(describing: message))")
        }
        return (frame, info)
    }

    /// The next message, which must be an acknowledgement.
    func receiveAcknowledgement() throws -> Acknowledgement {
        let message = try receive(until: soon())
        guard case .acknowledgement(let acknowledgement) = message else {
            throw FrameStreamingError(.malformedInput, "no acknowledgement, but \(String(describing: message))")
        }
        return acknowledgement
    }

    func acknowledge(_ sequence: UInt64) throws {
        try send(.acknowledgement(Acknowledgement(sequence: sequence, creditThrough: sequence + 16)), until: soon())
    }
}
