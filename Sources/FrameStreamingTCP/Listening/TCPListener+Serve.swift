public import FrameStreamingCore
internal import FrameStreamingSystem

extension TCPListener {
    /// Serves peers until ``stop()`` or ``close()``, and returns when the last connection has
    /// ended.
    ///
    /// Each connection has a thread of its own from the handshake on, so that a silent or broken
    /// peer delays no other.
    ///
    /// ```swift
    /// try listener.serve(onError: { print($0) }) { transport in
    ///     let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport)
    ///     while let received = try receiver.next() { print(received.frame.format) }
    /// }
    /// ```
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task reads
    /// ``connections``.
    ///
    /// - Parameters:
    ///   - maximumConnections: The most connections at once. A peer beyond that gets REJECT; with
    ///     the text handshake its connection is closed. Peers that have not introduced themselves
    ///     do not count (``TCPOptions/maximumHandshakes``).
    ///   - onError: Called, from any thread, for each connection that failed, was turned away, or
    ///     whose `body` threw. Errors of this package are a `FrameStreamingError`.
    ///   - body: Uses a connection, on a thread of its own. The connection is
    ///     closed afterwards. If `body` throws, the goodbye reports that to the
    ///     peer, unless `body` has said goodbye itself.
    /// - Throws: `invalidArgument`; `closed`, with an errno, if the listening socket is broken.
    ///   A peer's fault is not thrown.
    @available(
        *, noasync, message: "it blocks one of the few threads of all tasks: use 'connections', or a thread of your own"
    )
    public func serve(
        maximumConnections: Int = 16, onError: @escaping @Sendable (any Error) -> Void,
        _ body: @escaping @Sendable (TCPTransport) throws -> Void
    ) throws(FrameStreamingError) {
        try check(maximumConnections)
        try takeAll(places(maximumConnections), onError: onError) { [registry] newcomer in
            let transport = try newcomer.establish()
            registry.replace(newcomer.ticket, transport.close)
            try transport.lend(to: body)
            return .isOver
        }
    }

    /// Sends the frames of `sender` to each receiver that connects, until ``stop()`` or
    /// ``close()``.
    ///
    /// Returns when the last connection has ended.
    ///
    /// ```swift
    /// let listener = try TCPListener(on: "0.0.0.0:5600", role: .sender, handshake: .binary)
    /// try listener.serve(sender, onError: { print($0) })
    /// ```
    ///
    /// A handshake has a thread of its own. A connected receiver has none here, so a thousand idle
    /// ones cost only their sockets.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task reads
    /// ``connections`` and gives them to `FrameSender.add`.
    ///
    /// - Parameters:
    ///   - sender: The sender. Its `SenderOptions.incomingStallTimeout` and `incomingReturnTimeout`
    ///     limit how long it waits for a receiver that stalls or breaks.
    ///   - maximumConnections: The most connections at once. A receiver beyond that gets REJECT;
    ///     with the text handshake its connection is closed.
    ///   - onError: Called, from any thread, for each connection that failed in its handshake or
    ///     was turned away. The sender's events and summary report how the others end.
    /// - Throws: `invalidArgument`; `closed`, with an errno, if the listening socket is broken.
    ///   A peer's fault is not thrown.
    @available(
        *, noasync, message: "it blocks one of the few threads of all tasks: use 'connections', or a thread of your own"
    )
    public func serve(
        _ sender: FrameSender, maximumConnections: Int = 256,
        onError: @escaping @Sendable (any Error) -> Void
    ) throws(FrameStreamingError) {
        guard handshakeDriver.role.isSender else {
            throw FrameStreamingError(
                .invalidArgument, "this listener receives frames: make a TCPListener with the role sender")
        }
        try check(maximumConnections)
        try takeAll(places(maximumConnections), onError: onError) { [registry] newcomer in
            let (channel, ticket) = (newcomer.channel, newcomer.ticket)
            let transport = try newcomer.establish()
            registry.replace(ticket) { [weak transport] in transport?.close() }
            channel.onClose { registry.leave(ticket) }
            try sender.take(transport)
            return .goesOn
        }
    }

    /// Passes streams on between all peers that connect, until ``stop()`` or ``close()``.
    ///
    /// Returns when the last connection has ended.
    ///
    /// ```swift
    /// let listener = try TCPListener(relayingOn: "0.0.0.0:5600")
    /// try listener.serve(try FrameRelay(), onError: { print($0) })
    /// ```
    ///
    /// A handshake has a thread of its own. Connected receivers have none here.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. Call it on a thread of your
    /// own.
    ///
    /// - Parameters:
    ///   - relay: Has the streams.
    ///   - maximumConnections: The most connections at once, of senders and receivers together. A peer
    ///     beyond that gets REJECT.
    ///   - onError: Called, from any thread, for each connection that failed in its handshake or was
    ///     turned away. The relay's events report how the others end.
    /// - Throws: `invalidArgument`; `closed`, with an errno, if the listening socket is broken. A peer's
    ///   fault is not thrown.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: use a thread of your own")
    public func serve(
        _ relay: FrameRelay, maximumConnections: Int = 1_024, onError: @escaping @Sendable (any Error) -> Void
    ) throws(FrameStreamingError) {
        guard let relayHandshake else {
            throw FrameStreamingError(
                .invalidArgument, "this listener has one role: make one with TCPListener(relayingOn:)")
        }
        try check(maximumConnections)
        relayHandshake.sending.remember(connections: maximumConnections)
        try takeAll(places(maximumConnections), onError: onError) { [registry] newcomer in
            let (channel, ticket) = (newcomer.channel, newcomer.ticket)
            func keep(_ transport: TCPTransport) -> TCPTransport {
                registry.replace(ticket) { [weak transport] in transport?.close() }
                channel.onClose { registry.leave(ticket) }
                return transport
            }
            switch try newcomer.establish(relayHandshake, for: relay) {
            case .sender(let transport): try relay.addSender(keep(transport))
            case .receiver(let transport, let waits): try relay.addReceiver(keep(transport), waits: waits)
            }
            return .goesOn
        }
    }

    private func check(_ maximumConnections: Int) throws(FrameStreamingError) {
        guard maximumConnections >= 1 else {
            throw FrameStreamingError(
                .invalidArgument, "maximumConnections must be at least 1, not \(maximumConnections)")
        }
    }

    /// Whether a connection goes on after its thread has ended.
    enum Outcome { case isOver, goesOn }

    func places(_ connections: Int) -> PlaceLimits { handshakeDriver.options.places(connections) }

    /// Accepts sockets until ``stop()`` or ``close()``, and calls `body` with each on a thread of
    /// its own, before the handshake. Returns when the last connection has ended.
    ///
    /// - Parameters:
    ///   - sessions: How many broken streams are remembered at least.
    ///   - registry: Keeps the connections; nil = the listener's own.
    ///   - stop: Ends this call alone; nil = only the listener does.
    ///   - body: Gets the peer. A connection that goes on after `body` must give its ticket back
    ///     when it is closed. What `body` throws closes it.
    /// - Throws: `closed`, with an errno, if the listening socket is broken. A peer's fault is not
    ///   thrown.
    func takeAll(
        _ limits: PlaceLimits, remembering sessions: Int? = nil, in registry: ConnectionRegistry? = nil,
        stop: AcceptStop? = nil, onError: @escaping @Sendable (any Error) -> Void,
        _ body: @escaping @Sendable (Newcomer) throws -> Outcome
    ) throws(FrameStreamingError) {
        let registry = registry ?? self.registry
        handshakeDriver.remember(connections: sessions ?? limits.connections)
        let rejector = BusyRejector(handshakeDriver, anyRole: relayHandshake != nil, onError: onError)
        defer {
            rejector.close()
            registry.waitUntilEmpty()
        }
        while true {
            do throws(FrameStreamingError) {
                let channel = try Channel(try acceptSocket(until: .never, stop: stop))
                switch registry.enter(channel.host, limits, channel.close) {
                case .isClosed: channel.close()
                case .refused(let limit): rejector.turnAway(channel, limits.words(limit), limit)
                case .enters(let ticket):
                    try take(
                        Newcomer(
                            channel: channel, ticket: ticket, limits: limits, registry: registry,
                            handshakeDriver: handshakeDriver),
                        onError, body)
                }
            } catch {
                if error.code == .closed {
                    if error.errno == nil { return }
                    throw error
                }
                onError(error)
                // No descriptor or thread is left. Connections that end give theirs back.
                pause(.milliseconds(100), stop)
            }
        }
    }

    private func take(
        _ newcomer: Newcomer, _ onError: @escaping @Sendable (any Error) -> Void,
        _ body: @escaping @Sendable (Newcomer) throws -> Outcome
    ) throws(FrameStreamingError) {
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-connection") {
                do {
                    if try body(newcomer) == .isOver { newcomer.leave() }
                } catch {
                    onError(error)
                    newcomer.channel.close()
                    newcomer.leave()
                }
            }
        } catch {
            newcomer.channel.close()
            newcomer.leave()
            throw FrameStreamingError(error, subject: newcomer.channel.address)
        }
    }
}
