public import FrameStreamingCore
internal import FrameStreamingSystem

extension TCPConnector {
    /// Keeps a connection to the peer: connects, runs `body` with the connection, and after a break connects again, until `body` returns
    /// or ``cancel()`` is called. The peer need not be there yet.
    ///
    /// ```swift
    /// let connector = try TCPConnector(to: "camera:5600", role: .receiver)
    /// try connector.serve(onWaiting: { reason, _ in print("waiting", reason ?? "for the next stream") }) { transport in
    ///     let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport)
    ///     while let received = try receiver.next() { print(received.frame.format) }
    /// }
    /// ```
    ///
    /// Between two attempts it waits as `ReconnectDelay` says: below 250 ms at first and below 8 s at most, and below 250 ms again after a
    /// connection that lasted 10 s. Everything runs on the calling thread.
    ///
    /// - Parameters:
    ///   - goesOn: Whether to connect again after `body` has returned, too: for the next stream of a sender that listens.
    ///   - onWaiting: Told before each wait why there is no connection, and how long the wait is; nil: the stream before ended in good order.
    ///   - body: What to do with a connection, which is closed afterwards. To return says that the stream is over. To throw what broke the
    ///     connection (`connectionLost`, `endedWithoutGoodbye`, or a `timedOut` of its own patience) asks for the next one,
    ///     and so does `peerFailed` where it goes on.
    /// - Throws: What an attempt came to and no other will mend, see `FrameStreamingError.mayPass`; any other error of `body`.
    public func serve(
        goesOn: Bool = false, onWaiting: (FrameStreamingError?, Duration) -> Void = { _, _ in },
        _ body: (TCPTransport) throws -> Void
    ) throws {
        try serve(goesOn: goesOn, clock: SystemClock(), pause: pause, onWaiting: onWaiting, body)
    }

    /// The same with a clock and a way to wait of the caller's own.
    ///
    /// - Parameter pause: Waits that long; false = cancelled.
    func serve(
        goesOn: Bool, clock: some FrameClock, pause: (Duration) -> Bool,
        onWaiting: (FrameStreamingError?, Duration) -> Void, _ body: (TCPTransport) throws -> Void
    ) throws {
        var delay = ReconnectDelay()
        while let transport = try next(&delay, pause, onWaiting) {
            let connected = clock.now
            var reason: FrameStreamingError?
            do {
                defer { transport.close() }
                try body(transport)
                guard goesOn else { return }
            } catch let error as FrameStreamingError
                where error.isBreak(of: transport) || goesOn && error.code == .peerFailed
                // The cancel closed the connection under the body.
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

    /// The next connection, however many attempts it takes; nil = cancelled.
    private func next(
        _ delay: inout ReconnectDelay, _ pause: (Duration) -> Bool,
        _ onWaiting: (FrameStreamingError?, Duration) -> Void
    ) throws(FrameStreamingError) -> TCPTransport? {
        while !isCancelled {
            do throws(FrameStreamingError) {
                return try attempt(until: .never)
            } catch {
                if isCancelled { return nil }
                guard error.mayPass else { throw error }
                let wait = delay.next()
                onWaiting(error, wait)
                guard pause(wait) else { return nil }
            }
        }
        return nil
    }
}

extension FrameStreamingError {
    /// Whether it says that the connection broke, and not that something of the program's own failed, such as a file.
    fileprivate func isBreak(of transport: TCPTransport) -> Bool {
        switch code {
        case .connectionLost, .endedWithoutGoodbye, .timedOut: subject == nil || subject == transport.peer.address
        default: false
        }
    }
}
