public import FrameStreamingCore
internal import FrameStreamingSystem

/// Accepts connections at a port, one peer at a time, and the next one after a connection broke.
///
/// It is to the side that listens what ``TCPConnector`` is to the side that connects.
///
/// ```swift
/// let acceptor = try TCPAcceptor(on: "0.0.0.0:5600", role: .sender)
/// let transport = try acceptor.nextTransport(until: .never)
/// ```
///
/// Each handshake has a thread of its own, so a peer that says nothing delays no other
/// (``TCPOptions/maximumHandshakes``). While one
/// peer is connected, others get REJECT with the code busy; with the text handshake they are
/// disconnected.
///
/// Use one acceptor for each stream. ``TCPListener/serve(maximumConnections:onError:_:)`` takes
/// many peers at once.
public final class TCPAcceptor: TransportProvider {
    let listener: TCPListener
    private let slot = SingleConnectionSlot()
    /// The port. If 0 was given, the one that the system chose.
    public var port: Int { listener.port }
    /// The address that it listens on, such as `127.0.0.1:5600`.
    public var address: String { listener.address }
    /// Sender: the session of every connection, so that no frame is consumed twice. 0 with the text
    /// handshake, which has no sessions, and for a receiver, which remembers its senders' sessions.
    public let session: UInt64

    /// The figures of all peers so far.
    public var statistics: TCPListenerStatistics { listener.statistics }

    /// How many broken streams are remembered at least.
    private static let sessions = 64

    /// Begins to listen. A peer that connects before ``nextTransport(until:)`` is called completes
    /// its handshake, and waits for that call.
    ///
    /// - Parameters:
    ///   - address: `[HOST:]PORT`. Without a host it listens on loopback only, 127.0.0.1;
    ///     `0.0.0.0:PORT` and `[::]:PORT` listen on all interfaces. With port 0 the system chooses.
    ///   - role: Whether this side sends or receives frames, with the settings of that side. A
    ///     sender without a session gets a random one.
    ///   - handshake: What the peers speak. Only a receiver can use `automatic`.
    ///   - options: The other settings for each connection.
    ///   - onError: Called, from any thread, for each peer that was turned away or failed in its
    ///     handshake, and with `system` while no descriptor or thread is left. The default ignores
    ///     them: the acceptor goes on, and no error of the caller's own is among them. (A `serve`
    ///     has no default, because it also reports what its body throws.)
    /// - Throws: `addressInUse`, `notPermitted` (ports below 1024), `unresolvedHost`,
    ///   `invalidArgument`; `system` if no thread could be started.
    public init(
        on address: String, role: TCPRole, handshake: Handshake = .binary, options: TCPOptions = TCPOptions(),
        onError: @escaping @Sendable (FrameStreamingError) -> Void = { _ in }
    ) throws(FrameStreamingError) {
        let role = role.withSession(handshake)
        session = role.isSender ? role.session : 0
        listener = try TCPListener(on: address, role: role, handshake: handshake, options: options)
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-acceptor") { [listener, slot] in
                do throws(FrameStreamingError) {
                    try listener.takeAll(listener.places(.max), remembering: Self.sessions) { error in
                        if let error = error as? FrameStreamingError, !slot.isCancelled { onError(error) }
                    } _: { newcomer in
                        try Self.establish(newcomer, for: slot)
                        return .isOver
                    }
                } catch {
                    slot.end(error)
                }
            }
        } catch {
            listener.close()
            throw FrameStreamingError(error, subject: listener.address)
        }
    }

    deinit { cancel() }

    /// True: peers connect by themselves.
    public var waitsForPeers: Bool { true }

    /// Waits for the next peer that completes a handshake. A peer that fails is reported, and the
    /// wait goes on. Another peer can take the place of the connection before as soon as this is
    /// called.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task gives the
    /// acceptor to a `FrameSender`, or reads ``TCPListener/connections``.
    ///
    /// - Throws: `timedOut` if there was none by the deadline; `cancelled`; `closed` if the
    ///   listening socket is broken.
    @available(
        *, noasync,
        message: "it blocks one of the few threads of all tasks: use a FrameSender, or 'TCPListener.connections'"
    )
    public func nextTransport(until deadline: Deadline) throws(FrameStreamingError) -> any Transport {
        try slot.take(until: deadline)
    }

    /// Accepts no more peers, and ends a wait for one with `cancelled` within 100 ms. An open
    /// connection goes on. May be called from any thread.
    public func cancel() {
        slot.cancel()
        listener.close()
    }

    /// Completes the handshake with a peer, which then has the slot.
    private static func establish(
        _ newcomer: Newcomer, for slot: SingleConnectionSlot
    ) throws(FrameStreamingError) {
        var isClaimed = false
        do throws(FrameStreamingError) {
            let transport = try newcomer.establish {
                [sessions = newcomer.handshakeDriver.sessions] session throws(FrameStreamingError) in
                // A sender that is back ends its own earlier connection, which may still have the
                // slot.
                _ = sessions?.sever(session)
                try slot.claim()
                isClaimed = true
            }
            // From here on the listener does not close the connection.
            newcomer.leave()
            slot.fill(transport, newcomer.channel)
        } catch {
            if isClaimed { slot.giveBack() }
            throw error
        }
    }
}
