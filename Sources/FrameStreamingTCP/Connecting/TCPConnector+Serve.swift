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
    /// It blocks. Never from a task: four of these on two cores deadlock. A task calls the async
    /// form, `try await connector.serve { ... }`, whose body may await.
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
    @available(
        *, noasync,
        message: "it blocks one of the few threads of all tasks: use 'try await', and a body that awaits"
    )
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
        var progress = ServeProgress(goesOn: goesOn)
        while let transport = try next(&progress, pause, onWaiting) {
            let connected = clock.now
            let outcome = Result {
                try transport.lend(patience: patience, cancellation: cancellation, to: body)
            }
            let wait = try progress.wait(
                after: outcome, at: transport.peer.address, lifetime: clock.now.since(connected),
                isCancelled: isCancelled)
            guard let wait else { return }
            onWaiting(wait.reason, wait.duration)
            guard pause(wait.duration) else { return }
        }
    }

    /// Tries to connect until it succeeds; nil = cancelled.
    private func next(
        _ progress: inout ServeProgress, _ pause: (Duration) -> Bool,
        _ onWaiting: (FrameStreamingError?, Duration) -> Void
    ) throws(FrameStreamingError) -> TCPTransport? {
        while !isCancelled {
            do throws(FrameStreamingError) {
                return try attempt(until: .never)
            } catch {
                if isCancelled { return nil }
                let wait = try progress.wait(after: error)
                onWaiting(wait.reason, wait.duration)
                guard pause(wait.duration) else { return nil }
            }
        }
        return nil
    }
}
