public import FrameStreamingCore

/// Connects to one listening peer, again after a connection broke, with the session that lets the stream go on.
///
/// ```swift
/// let connector = try TCPConnector(to: "receiver:5600", role: .sender)
/// let transport = try connector.connect(until: .after(.seconds(10)))
/// ```
///
/// One for each stream: its session is that of one sender, from its first frame to its last.
public final class TCPConnector: Connector {
    /// What it connects to, as it was given.
    public let address: String
    /// Sender: the session that every connection names, so that no frame is consumed twice. 0 with the text handshake, which has none, and
    /// for a receiver, which remembers its sender's.
    public let session: UInt64
    private let endpoint: TCPEndpoint
    private let handshakeDriver: HandshakeDriver
    private let cancellation = TCPCancellation()

    /// How long one attempt may take. The kernel alone would go on for two minutes, in longer and longer steps, and a receiver that is back
    /// would not be noticed.
    private static let patience = Duration.seconds(10)

    /// Connects nowhere yet.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT`; the host is a name, which is looked up for each attempt, an IPv4 address, or an IPv6 address in brackets.
    ///   - role: Whether this side sends or receives frames.
    ///   - handshake: Binary or text; the peer must speak the same.
    ///   - options: The rest, for every connection. A sender without a session gets one, at random.
    /// - Throws: `invalidArgument`.
    public init(
        to address: String, role: TCPRole, handshake: TCPHandshake = .binary, options: TCPOptions = TCPOptions()
    ) throws(FrameStreamingError) {
        self.address = address
        endpoint = try TCPEndpoint(address, defaultHost: nil)
        let options = options.withSession(role, handshake)
        session = role == .sender ? options.session : 0
        handshakeDriver = try HandshakeDriver(role: role, handshake: handshake, options: options, listens: false)
    }

    /// A connection whose handshake is complete: one attempt, at each of the host's addresses, of 10 s at most.
    ///
    /// - Throws: What `FrameStreamingError.mayPass` calls worth another attempt: `connectionFailed` when nobody listens or there is no way
    ///   there, `unresolvedHost`, `timedOut`, `busy` when the peer has no room. What it does not: `rejected` when the peer said no for
    ///   another reason, `protocolViolation` when it speaks otherwise, `cancelled`.
    public func connect(until deadline: Deadline) throws(FrameStreamingError) -> any Transport {
        try attempt(until: deadline)
    }

    func attempt(until deadline: Deadline) throws(FrameStreamingError) -> TCPTransport {
        try TCPTransport.connect(
            to: endpoint, handshakeDriver, until: deadline.earlier(.after(Self.patience)), cancellation)
    }

    /// Whether it was cancelled.
    var isCancelled: Bool { cancellation.isCancelled }

    /// Waits for `duration`; false = cancelled.
    func pause(_ duration: Duration) -> Bool { cancellation.pause(duration) }

    /// Ends an attempt, from any thread, with `cancelled` within 100 ms, and every later one at once. A connection that there is goes on;
    /// ``serve(goesOn:onWaiting:_:)`` returns when it has ended.
    public func cancel() {
        cancellation.cancel()
        handshakeDriver.sessions?.close()
    }
}

extension TCPOptions {
    /// With a session for a sender that has none and may be connected again. The text handshake has no word for it.
    func withSession(_ role: TCPRole, _ handshake: TCPHandshake) -> TCPOptions {
        var options = self
        if !handshake.hasSessions {
            options.session = 0
        } else if role == .sender, session == 0 {
            options.session = .random(in: 1 ... .max)
        }
        return options
    }
}
