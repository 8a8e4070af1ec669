public import FrameStreamingCore
internal import FrameStreamingSystem

/// Takes connections at a port, one peer at a time, the next one after a connection broke: what ``TCPConnector`` is to the side that
/// connects.
///
/// ```swift
/// let acceptor = try TCPAcceptor(on: "0.0.0.0:5600", role: .sender)
/// let transport = try acceptor.connect(until: .never)
/// ```
///
/// One for each stream, as a connector is. Many peers at once are ``TCPListener/serve(maximumConnections:onError:_:)``'s.
public final class TCPAcceptor: Connector {
    private let listener: TCPListener
    private let isCancelled = Monitor(false)
    private let onError: @Sendable (FrameStreamingError) -> Void
    /// The port: the one that the system chose where 0 was asked for.
    public var port: Int { listener.port }
    /// What it listens on, such as `127.0.0.1:5600`.
    public var address: String { listener.address }
    /// Sender: the session that every connection has, so that no frame is consumed twice. 0 with the text handshake, which has none, and
    /// for a receiver, which remembers its senders'.
    public let session: UInt64

    /// Begins to listen. Who connects before somebody waits in ``connect(until:)`` is served then.
    ///
    /// - Parameters:
    ///   - address: `[HOST:]PORT`. Without a host it is loopback only, 127.0.0.1; `0.0.0.0:PORT` and `[::]:PORT` are everybody. Port 0
    ///     lets the system choose.
    ///   - role: Whether this side sends or receives frames.
    ///   - handshake: What the peers speak. Only a receiver can find out by itself.
    ///   - options: The rest, for every connection. A sender without a session gets one, at random.
    ///   - onError: Told of every peer that said nothing, or nothing that fits. Called from the thread in ``connect(until:)``.
    /// - Throws: `addressInUse`, `notPermitted` (ports below 1024), `unresolvedHost`, `invalidArgument`.
    public init(
        on address: String, role: TCPRole, handshake: TCPHandshake = .binary, options: TCPOptions = TCPOptions(),
        onError: @escaping @Sendable (FrameStreamingError) -> Void = { _ in }
    ) throws(FrameStreamingError) {
        let options = options.withSession(role, handshake)
        session = role == .sender ? options.session : 0
        self.onError = onError
        listener = try TCPListener(on: address, role: role, handshake: handshake, options: options)
    }

    deinit { listener.close() }

    /// It does.
    public var isListening: Bool { true }

    /// The next peer that connects and agrees. One that does not is reported, and the wait goes on.
    ///
    /// - Throws: `timedOut` when there was none by the deadline; `cancelled`; `system` when no descriptor is left, which may pass.
    public func connect(until deadline: Deadline) throws(FrameStreamingError) -> any Transport {
        do throws(FrameStreamingError) {
            return try listener.acceptOne(until: deadline, onError: onError)
        } catch {
            if isCancelled.withLock({ $0 }) { throw .cancelled("the wait for a peer") }
            throw error
        }
    }

    /// Takes no more peers, and ends the wait for one, from any thread, with `cancelled` within 100 ms. A connection that there is goes on.
    public func cancel() {
        isCancelled.update { $0 = true }
        listener.close()
    }
}
