public import FrameStreamingCore
internal import FrameStreamingSystem

extension TCPListener {
    /// Serves peers until ``stop()`` or ``close()``: each connection on a thread of its own, the handshake included, so
    /// that a silent or a broken one holds up nobody else. Returns when the last one has ended.
    ///
    /// ```swift
    /// try listener.serve(onError: { print($0) }) { transport in
    ///     let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport)
    ///     while let received = try receiver.next() { print(received.frame.format) }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - maximumConnections: Beyond so many at once a peer is turned away: with REJECT, or by closing where it speaks text.
    ///   - onError: Told of every connection that did not come about, was turned away, or whose `body` threw. What this package
    ///     throws is a `FrameStreamingError`; `body` may throw errors of its own. Called from any thread.
    ///   - body: What to do with a connection, on a thread of its own. It is closed afterwards.
    /// - Throws: What makes listening impossible: `invalidArgument`; `closed`, with an errno, where the listening socket is broken.
    ///   Nothing that a peer does.
    public func serve(
        maximumConnections: Int = 16, onError: @escaping @Sendable (any Error) -> Void,
        _ body: @escaping @Sendable (TCPTransport) throws -> Void
    ) throws(FrameStreamingError) {
        try check(maximumConnections)
        try takeAll(maximum: maximumConnections, onError: onError) { [handshakeDriver, connections] channel, ticket in
            let transport = try handshakeDriver.accept(channel, until: .never)
            connections.replace(ticket, transport.close)
            defer { transport.close() }
            try body(transport)
            return .isOver
        }
    }

    /// Has every receiver that connects get the frames of `sender`, until ``stop()`` or ``close()``. Returns when the last one has ended.
    ///
    /// ```swift
    /// let listener = try TCPListener(on: "0.0.0.0:5600", role: .sender, handshake: .binary)
    /// try listener.serve(sender, onError: { print($0) })
    /// ```
    ///
    /// A handshake has a thread of its own; a receiver that is connected has none here, so that a thousand that are idle cost nothing but
    /// their sockets.
    ///
    /// - Parameters:
    ///   - sender: Who sends. How long it waits for a receiver that stands still or breaks: `SenderOptions.incomingStallTimeout` and
    ///     `incomingReturnTimeout`.
    ///   - maximumConnections: Beyond so many at once a receiver is turned away: with REJECT, or by closing where it speaks text.
    ///   - onError: Told of every connection that did not come about or was turned away. Called from any thread. How one that came about
    ///     ends, `SenderOptions.onEvent` and the sender's summary say.
    /// - Throws: What makes listening impossible: `invalidArgument`; `closed`, with an errno, where the listening socket is broken.
    ///   Nothing that a peer does.
    public func serve(
        _ sender: FrameSender<some FrameCodec>, maximumConnections: Int = 256,
        onError: @escaping @Sendable (any Error) -> Void
    ) throws(FrameStreamingError) {
        guard handshakeDriver.role == .sender else {
            throw FrameStreamingError(.invalidArgument, "this listener receives: make one whose role is to send")
        }
        try check(maximumConnections)
        try takeAll(maximum: maximumConnections, onError: onError) { [handshakeDriver, connections] channel, ticket in
            let transport = try handshakeDriver.accept(channel, until: .never)
            connections.replace(ticket) { [weak transport] in transport?.close() }
            channel.onClose { connections.leave(ticket) }
            try sender.take(transport)
            return .goesOn
        }
    }

    private func check(_ maximumConnections: Int) throws(FrameStreamingError) {
        guard maximumConnections >= 1 else {
            throw FrameStreamingError(
                .invalidArgument, "a listener for \(maximumConnections) connections serves nobody")
        }
    }

    /// What became of a connection when its thread has ended.
    enum Outcome { case isOver, goesOn }

    /// Takes connections until ``stop()`` or ``close()``: `body` is called with each, on a thread of its own, the handshake still to
    /// come. Returns when the last of those connections has ended.
    ///
    /// - Parameter body: Gets the ticket, too, by which its connection is known, and says what became of it: one that goes on gives its ticket
    ///   back when it is closed. What it throws closes the connection.
    /// - Throws: `closed`, with an errno, where the listening socket is broken. Nothing that a peer does.
    func takeAll(
        maximum: Int, onError: @escaping @Sendable (any Error) -> Void,
        _ body: @escaping @Sendable (Channel, UInt64) throws -> Outcome
    ) throws(FrameStreamingError) {
        handshakeDriver.remember(connections: maximum)
        let rejector = BusyRejector(handshakeDriver, onError: onError)
        defer {
            rejector.close()
            connections.waitUntilEmpty()
        }
        while true {
            do throws(FrameStreamingError) {
                let channel = try Channel(try acceptSocket(until: .never))
                guard let ticket = connections.enter(channel.close, maximum: maximum) else {
                    rejector.turnAway(
                        channel, "\(maximum) connections are the limit here: try again when one has ended")
                    continue
                }
                try take(channel, ticket, onError, body)
            } catch {
                if error.code == .closed {
                    if error.errno == nil { return }
                    throw error
                }
                onError(error)
                // No descriptor or thread is left: waiting is all that helps, for those that end give theirs back.
                pause(.milliseconds(100))
            }
        }
    }

    private func take(
        _ channel: Channel, _ ticket: UInt64, _ onError: @escaping @Sendable (any Error) -> Void,
        _ body: @escaping @Sendable (Channel, UInt64) throws -> Outcome
    ) throws(FrameStreamingError) {
        let connections = connections
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-connection") {
                do {
                    if try body(channel, ticket) == .isOver { connections.leave(ticket) }
                } catch {
                    onError(error)
                    channel.close()
                    connections.leave(ticket)
                }
            }
        } catch {
            channel.close()
            connections.leave(ticket)
            throw FrameStreamingError(error, subject: channel.address)
        }
    }
}
