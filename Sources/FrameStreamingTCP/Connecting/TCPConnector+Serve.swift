public import FrameStreamingCore
internal import FrameStreamingSystem

extension TCPConnector {
    /// Keeps a connection to the peer until `body` returns or ``cancel()`` is called.
    ///
    /// It connects, runs `body` with the connection, and connects again after a break. The peer may
    /// be started later.
    ///
    /// ```swift
    /// let connector = try TCPConnector(to: "camera:5600", role: .receiver)
    /// try connector.serve(onWaiting: { reason, _ in print("waiting", reason ?? "") }) { transport in
    ///     let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport)
    ///     while let received = try receiver.next() { print(received.frame.format) }
    /// }
    /// ```
    ///
    /// The wait between two attempts is below 250 ms at first and below 8 s at most. After a
    /// connection that lasted 10 s it is below 250 ms again. Everything runs on the calling thread.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A program with tasks
    /// gives it a thread of its own.
    ///
    /// - Parameters:
    ///   - goesOn: Whether to connect again after `body` has returned as well, for the next stream
    ///     of a sender that listens.
    ///   - onWaiting: Called before each wait with the reason why there is no connection, and the
    ///     length of the wait. The reason is nil after a stream that ended cleanly.
    ///   - body: Uses a connection, which is closed afterwards. If it returns, the stream is over.
    ///     If it throws, the goodbye reports that to the peer, unless `body` has said goodbye
    ///     itself. If it throws what broke the connection (`connectionLost`, `endedWithoutGoodbye`,
    ///     or a `timedOut` of its own), the next connection follows. With `goesOn`, that is so for
    ///     `peerFailed` as well.
    /// - Throws: The error of an attempt for which `FrameStreamingError.isTransient` is false; any
    ///   other error of `body`.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: use a thread of your own")
    public func serve(
        goesOn: Bool = false, onWaiting: (FrameStreamingError?, Duration) -> Void = { _, _ in },
        _ body: (TCPTransport) throws -> Void
    ) throws {
        try serve(goesOn: goesOn, clock: SystemClock(), pause: pause, onWaiting: onWaiting, body)
    }

    /// The same with the caller's own clock and waits.
    ///
    /// - Parameters:
    ///   - pause: Waits for the duration; false = cancelled.
    ///   - patience: How long the goodbye after the body may take.
    func serve(
        goesOn: Bool, clock: some FrameClock, pause: (Duration) -> Bool, patience: Duration = TCPTransport.patience,
        onWaiting: (FrameStreamingError?, Duration) -> Void, _ body: (TCPTransport) throws -> Void
    ) throws {
        var delay = ReconnectDelay()
        while let transport = try next(&delay, pause, onWaiting) {
            let connected = clock.now
            var reason: FrameStreamingError?
            do {
                try transport.lend(patience: patience, cancellation: cancellation, to: body)
                guard goesOn else { return }
            } catch let error as FrameStreamingError
                where error.isBreak(of: transport) || goesOn && error.code == .peerFailed
                // The cancel has closed the connection while the body used it.
                || isCancelled && error.code == .closed
            {
                reason = error
            }
            if isCancelled { return }
            if clock.now.since(connected) >= ReconnectDelay.healthy { delay.reset() }
            let wait = delay.next()
            onWaiting(reason, wait)
            guard pause(wait) else { return }
        }
    }

    /// Tries to connect until it succeeds; nil = cancelled.
    private func next(
        _ delay: inout ReconnectDelay, _ pause: (Duration) -> Bool,
        _ onWaiting: (FrameStreamingError?, Duration) -> Void
    ) throws(FrameStreamingError) -> TCPTransport? {
        while !isCancelled {
            do throws(FrameStreamingError) {
                return try attempt(until: .never)
            } catch {
                if isCancelled { return nil }
                guard error.isTransient else { throw error }
                let wait = delay.next()
                onWaiting(error, wait)
                guard pause(wait) else { return nil }
            }
        }
        return nil
    }
}

extension FrameStreamingError {
    /// Whether the connection broke, and not something of the program's own, such as a file.
    fileprivate func isBreak(of transport: TCPTransport) -> Bool {
        switch code {
        case .connectionLost, .endedWithoutGoodbye, .timedOut: subject == nil || subject == transport.peer.address
        default: false
        }
    }
}
