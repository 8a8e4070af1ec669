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
/// Handshakes run side by side, on threads of their own, so that a peer that says nothing holds up nobody else. While one has the
/// connection others are turned away: with REJECT, busy, or by closing where they speak text.
///
/// One for each stream, as a connector is. Many peers at once are ``TCPListener/serve(maximumConnections:onError:_:)``'s.
public final class TCPAcceptor: Connector {
    let listener: TCPListener
    private let place = SingleConnectionSlot()
    /// The port: the one that the system chose where 0 was asked for.
    public var port: Int { listener.port }
    /// What it listens on, such as `127.0.0.1:5600`.
    public var address: String { listener.address }
    /// Sender: the session that every connection has, so that no frame is consumed twice. 0 with the text handshake, which has none, and
    /// for a receiver, which remembers its senders'.
    public let session: UInt64

    /// Handshakes at once: beyond them peers are turned away.
    private static let mostHandshakes = 64

    /// Begins to listen. Who connects before somebody waits in ``connect(until:)`` gets an answer, and is served then.
    ///
    /// - Parameters:
    ///   - address: `[HOST:]PORT`. Without a host it is loopback only, 127.0.0.1; `0.0.0.0:PORT` and `[::]:PORT` are everybody. Port 0
    ///     lets the system choose.
    ///   - role: Whether this side sends or receives frames.
    ///   - handshake: What the peers speak. Only a receiver can find out by itself.
    ///   - options: The rest, for every connection. A sender without a session gets one, at random.
    ///   - onError: Told of every peer that said nothing, or nothing that fits, or was turned away, and of `system` while no descriptor or
    ///     thread is left. Called from any thread.
    /// - Throws: `addressInUse`, `notPermitted` (ports below 1024), `unresolvedHost`, `invalidArgument`; `system` where no thread can be had.
    public init(
        on address: String, role: TCPRole, handshake: TCPHandshake = .binary, options: TCPOptions = TCPOptions(),
        onError: @escaping @Sendable (FrameStreamingError) -> Void = { _ in }
    ) throws(FrameStreamingError) {
        let options = options.withSession(role, handshake)
        session = role == .sender ? options.session : 0
        listener = try TCPListener(on: address, role: role, handshake: handshake, options: options)
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-acceptor") { [listener, place] in
                do throws(FrameStreamingError) {
                    try listener.takeAll(maximum: Self.mostHandshakes) { error in
                        if let error = error as? FrameStreamingError, !place.isCancelled { onError(error) }
                    } _: { channel, ticket in
                        try listener.establish(channel, ticket, for: place)
                        return .isOver
                    }
                } catch {
                    place.end(error)
                }
            }
        } catch {
            listener.close()
            throw FrameStreamingError(error, subject: listener.address)
        }
    }

    deinit { cancel() }

    /// It does.
    public var isListening: Bool { true }

    /// The next peer that connects and agrees. One that does not is reported, and the wait goes on. Who asks is through with the connection
    /// before.
    ///
    /// - Throws: `timedOut` when there was none by the deadline; `cancelled`; `closed` where the listening socket is broken, and nobody can
    ///   come any more.
    public func connect(until deadline: Deadline) throws(FrameStreamingError) -> any Transport {
        try place.take(until: deadline)
    }

    /// Takes no more peers, and ends the wait for one, from any thread, with `cancelled` within 100 ms. A connection that there is goes on.
    public func cancel() {
        place.cancel()
        listener.close()
    }
}

extension TCPListener {
    /// The handshake with a peer that wants the place, and has it when the handshake is complete.
    fileprivate func establish(_ channel: Channel, _ ticket: UInt64, for place: SingleConnectionSlot)
        throws(FrameStreamingError)
    {
        var isClaimed = false
        do throws(FrameStreamingError) {
            let transport = try handshakeDriver.accept(channel, until: .never) {
                [sessions = handshakeDriver.sessions] session throws(FrameStreamingError) in
                // A sender that comes back while its connection before still has the place ends that one.
                _ = sessions?.sever(session)
                try place.claim()
                isClaimed = true
            }
            // From here on it is not the listener's to close.
            connections.leave(ticket)
            place.fill(transport, channel)
        } catch {
            if isClaimed { place.giveBack() }
            throw error
        }
    }
}
