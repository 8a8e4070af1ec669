public import FrameStreamingCore

/// Connects to one listening peer, and again after a connection broke. The session of all
/// connections is the same, so the stream goes on.
///
/// ```swift
/// let connector = try TCPConnector(to: "receiver:5600", role: .sender)
/// let transport = try connector.nextTransport(until: .after(.seconds(10)))
/// ```
///
/// Use one connector for each stream: its session is that of one sender, from the first frame to
/// the last.
public final class TCPConnector: TransportProvider {
    /// The address that it was given, as `HOST:PORT`.
    public let address: String
    /// Sender: the session of every connection, so that no frame is consumed twice. 0 with the text
    /// handshake, which has no sessions, and for a receiver, which remembers its sender's session.
    public let session: UInt64
    private let endpoint: NetworkAddress
    private let handshakeDriver: HandshakeDriver
    let cancellation = TCPCancellation()

    /// The limit of one attempt. The kernel alone would try for two minutes, with growing pauses,
    /// and would notice a receiver that is back too late.
    private static let patience = Duration.seconds(10)

    /// Creates a connector. It connects only when told to.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT`. The host is an IPv4 address, an IPv6 address in brackets, or a
    ///     name, which is looked up for each attempt.
    ///   - role: Whether this side sends or receives frames, with the settings of that side. A
    ///     sender without a session gets a random one.
    ///   - handshake: Binary or text; the peer must speak the same.
    ///   - options: The other settings for each connection.
    /// - Throws: `invalidArgument`.
    public init(
        to address: String, role: TCPRole, handshake: Handshake = .binary, options: TCPOptions = TCPOptions()
    ) throws(FrameStreamingError) {
        endpoint = try NetworkAddress(address, defaultHost: nil)
        self.address = endpoint.description
        let role = role.withSession(handshake)
        session = role.isSender ? role.session : 0
        handshakeDriver = try HandshakeDriver(role: role, handshake: handshake, options: options, listens: false)
    }

    /// Connects and completes the handshake: one attempt at each of the host's addresses, 10 s at
    /// most in all.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task gives the
    /// connector to a `FrameSender`, which waits on a thread of the library, or calls
    /// `try await connector.serve { ... }`.
    ///
    /// - Throws: Errors after which another attempt may succeed
    ///   (`FrameStreamingError.isTransient`): `connectionFailed` if nothing listens there or there
    ///   is no route, `unresolvedHost`, `timedOut`, `busy` if the peer has no room. Other errors:
    ///   `rejected` if the peer refused for another reason, `protocolViolation` if it does not keep
    ///   to the protocol, `cancelled`.
    @available(
        *, noasync, message: "it blocks one of the few threads of all tasks: use 'try await connector.serve { ... }'"
    )
    public func nextTransport(until deadline: Deadline) throws(FrameStreamingError) -> any Transport {
        try attempt(until: deadline)
    }

    func attempt(until deadline: Deadline) throws(FrameStreamingError) -> TCPTransport {
        try TCPTransport.connect(
            to: endpoint, handshakeDriver, until: deadline.earlier(.after(Self.patience)), cancellation)
    }

    /// Whether ``cancel()`` was called.
    var isCancelled: Bool { cancellation.isCancelled }

    /// Waits for `duration`; false = cancelled.
    func pause(_ duration: Duration) -> Bool { cancellation.pause(duration) }

    /// Ends an attempt with `cancelled` within 100 ms, and every later one at once. An open
    /// connection goes on: ``serve(goesOn:onWaiting:_:)`` returns when its body has, without
    /// waiting for the peer's answer to the goodbye. May be called from any thread.
    public func cancel() {
        cancellation.cancel()
        handshakeDriver.sessions?.close()
    }
}
