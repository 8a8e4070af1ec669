public import FrameStreamingCore
internal import FrameStreamingSystem

/// A port that peers connect to. One listener serves any number of connections, one after another
/// or at once.
public final class TCPListener: Sendable {
    let descriptor: Monitor<Descriptor?>
    private let wakeUp: WakeUp
    let handshakeDriver: HandshakeDriver
    /// The handshakes of a relay's port; nil = all peers have one role.
    let relayHandshake: RelayHandshake?
    let counts = ListenerCounts()
    let registry: ConnectionRegistry
    /// The iterators of ``connections`` that accept peers.
    let sequences = ConnectionRegistry()
    /// The port. If 0 was given, the one that the system chose.
    public let port: Int
    /// The address that it listens on, such as `127.0.0.1:5600`.
    public let address: String

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - address: `[HOST:]PORT`. Without a host it listens on loopback only, 127.0.0.1;
    ///     `0.0.0.0:PORT` and `[::]:PORT` listen on all interfaces. With port 0 the system chooses.
    ///   - role: Whether this side sends or receives frames, with the settings of that side.
    ///   - handshake: The handshake of the peers. Only a receiver can use `automatic`.
    ///   - options: The other settings for each connection.
    /// - Throws: `addressInUse`, `notPermitted` (ports below 1024), `unresolvedHost`,
    ///   `invalidArgument`.
    public convenience init(
        on address: String, role: TCPRole, handshake: Handshake = .binary, options: TCPOptions = TCPOptions()
    ) throws(FrameStreamingError) {
        try self.init(
            on: address, try HandshakeDriver(role: role, handshake: handshake, options: options, listens: true), nil)
    }

    /// Begins to listen for a relay: senders and receivers connect to the same port, with the binary
    /// handshake.
    ///
    /// - Parameters:
    ///   - address: As for ``init(on:role:handshake:options:)``.
    ///   - receiving: The settings for peers that send.
    ///   - sending: The settings for peers that receive. Each gets a session of its own.
    ///   - options: The other settings for each connection. The streams' names are the peers'.
    /// - Throws: As ``init(on:role:handshake:options:)``; `invalidArgument` for options with a stream.
    public convenience init(
        relayingOn address: String, receiving: TCPReceiverOptions = TCPReceiverOptions(),
        sending: TCPSenderOptions = TCPSenderOptions(), options: TCPOptions = TCPOptions()
    ) throws(FrameStreamingError) {
        guard options.stream.isEmpty else {
            throw FrameStreamingError(
                .invalidArgument, "a relay has the streams of its peers: leave TCPOptions.stream empty")
        }
        let drivers = RelayHandshake(
            receiving: try HandshakeDriver(
                role: .receiver(receiving), handshake: .binary, options: options, listens: true),
            sending: try HandshakeDriver(role: .sender(sending), handshake: .binary, options: options, listens: true))
        try self.init(on: address, drivers.receiving, drivers)
    }

    private init(
        on address: String, _ driver: HandshakeDriver, _ relay: RelayHandshake?
    ) throws(FrameStreamingError) {
        registry = ConnectionRegistry(counts)
        handshakeDriver = driver
        relayHandshake = relay
        let endpoint = try NetworkAddress(address, defaultHost: "127.0.0.1")
        let addresses = try SocketAddress.resolve(endpoint, listening: true)
        do throws(SystemError) {
            let socket = try Descriptor.socket(addresses[0].family)
            try socket.bindAndListen(addresses[0], backlog: 128)
            wakeUp = try WakeUp()
            let bound = SocketAddress(.local, of: socket)
            port = bound?.endpoint?.port ?? endpoint.port
            self.address = bound?.description ?? address
            descriptor = Monitor(socket)
        } catch {
            throw FrameStreamingError(listening: error, on: endpoint.description)
        }
    }

    deinit { close() }

    /// Waits for a connection and completes its handshake.
    ///
    /// A peer that connects and says nothing delays this as long as ``TCPOptions/handshakeTimeout``
    /// allows. ``serve(maximumConnections:onError:_:)`` has several connections at a time.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task reads
    /// ``connections``.
    ///
    /// - Throws: `timedOut` if no peer connected, or it said nothing; `rejected`,
    ///   `protocolViolation` and others if the handshake failed. The listener goes on after those:
    ///   call again. `closed`.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: use 'connections'")
    public func accept(until deadline: Deadline = .never) throws(FrameStreamingError) -> TCPTransport {
        try agree(with: try Channel(try acceptSocket(until: deadline)), until: deadline)
    }

    private func agree(
        with channel: Channel, until deadline: Deadline
    ) throws(FrameStreamingError) -> TCPTransport {
        let limits = PlaceLimits()
        guard case .enters(let ticket) = registry.enter(channel.host, limits, channel.close) else {
            channel.close()
            throw .closedListener
        }
        defer { registry.leave(ticket) }
        do throws(FrameStreamingError) {
            return try handshakeDriver.accept(channel, until: deadline)
        } catch {
            channel.close()
            throw registry.isClosed ? .closedListener : registry.failed(ticket, error, limits, at: channel.address)
        }
    }

    /// The figures of all peers so far.
    public var statistics: TCPListenerStatistics { counts.figures }

    /// Accepts no more connections. The open ones go on, and
    /// ``serve(maximumConnections:onError:_:)`` returns when they have ended.
    public func stop() {
        let socket = descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
        // Another thread may still hold the socket in accept. A shutdown frees the port at once,
        // and no peer gets into the backlog any more.
        socket?.shutdownBoth()
        wakeUp.signal()
    }

    /// Stops, and closes every connection that ``serve(maximumConnections:onError:_:)`` runs.
    ///
    /// May be called from any thread, and more than once. Every wait ends within 100 ms.
    public func close() {
        stop()
        handshakeDriver.sessions?.close()
        registry.close()
        sequences.close()
    }

    func acceptSocket(
        until deadline: Deadline, stop: AcceptStop? = nil
    ) throws(FrameStreamingError) -> Descriptor {
        while true {
            if stop?.isStopped == true { throw .closedListener }
            guard let socket = descriptor.withLock({ $0 }) else { throw .closedListener }
            do throws(SystemError) {
                return try socket.accept()
            } catch {
                if descriptor.withLock({ $0 == nil }) { throw .closedListener }
                switch error.code {
                case Errno.again:
                    if deadline.hasPassed { throw .timedOut("a connection") }
                    try wait(on: socket, until: deadline, stop)
                // The peer left before it was accepted, or its network failed: accept the next one
                // (accept(2)).
                case Errno.connectionAborted, Errno.networkUnreachable, Errno.hostUnreachable, Errno.timedOut: continue
                case Errno.badDescriptor, Errno.notSocket, Errno.invalid:
                    throw FrameStreamingError(
                        .closed,
                        "the listening socket is broken, and no peer can connect any more (\(error)): make a new listener",
                        subject: address, errno: error.code)
                default: throw FrameStreamingError(error, subject: address)
                }
            }
        }
    }

    private func wait(
        on socket: Descriptor, until deadline: Deadline, _ stop: AcceptStop?
    ) throws(FrameStreamingError) {
        do throws(SystemError) {
            try waitForInput(
                on: [socket, wakeUp.descriptor] + [stop].compactMap { $0?.wakeUp.descriptor },
                until: deadline.nanoseconds)
        } catch {
            throw FrameStreamingError(error, subject: address)
        }
    }

    /// Waits for `duration`, or until the listener or `stop` stops.
    func pause(_ duration: Duration, _ stop: AcceptStop?) {
        try? waitForInput(
            on: [wakeUp.descriptor] + [stop].compactMap { $0?.wakeUp.descriptor },
            until: Deadline.after(duration).nanoseconds)
    }
}
