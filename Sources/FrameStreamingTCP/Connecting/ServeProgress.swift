internal import FrameStreamingCore

/// What a `serve` of a ``TCPConnector`` does after each connection and each failed attempt. It
/// knows no thread and no clock, so that the blocking form and the one for tasks share it.
struct ServeProgress {
    /// Why there is no connection now, and how long to wait for the next. The reason is nil after a
    /// stream that ended cleanly.
    struct Wait {
        var reason: FrameStreamingError?
        var duration: Duration
    }

    /// Whether another connection follows a stream that has ended.
    let goesOn: Bool
    private var delay = ReconnectDelay()

    init(goesOn: Bool) { self.goesOn = goesOn }

    /// The wait after an attempt that failed.
    ///
    /// - Throws: The error, if another attempt would fail as well.
    mutating func wait(after error: FrameStreamingError) throws(FrameStreamingError) -> Wait {
        guard error.isTransient else { throw error }
        return Wait(reason: error, duration: delay.next())
    }

    /// The wait after a body has returned, or has thrown; nil = the stream is over.
    ///
    /// - Parameters:
    ///   - outcome: What the body did with the connection.
    ///   - address: The peer's address.
    ///   - lifetime: How long there was a connection.
    ///   - isCancelled: Whether the connector was cancelled meanwhile.
    /// - Throws: What the body threw, if it is an error of the program's own.
    mutating func wait(
        after outcome: Result<Void, any Error>, at address: String, lifetime: Duration, isCancelled: Bool
    ) throws -> Wait? {
        var reason: FrameStreamingError?
        do {
            try outcome.get()
            if !goesOn { return nil }
        } catch let error as FrameStreamingError
            where error.isBreak(of: address) || goesOn && error.mayPass
            // The cancel has closed the connection while the body used it.
            || isCancelled && error.code == .closed
        {
            reason = error
        }
        if isCancelled { return nil }
        if lifetime >= ReconnectDelay.healthy { delay.reset() }
        return Wait(reason: reason, duration: delay.next())
    }
}

extension FrameStreamingError {
    /// Whether the connection broke, and not something of the program's own, such as a file.
    fileprivate func isBreak(of address: String) -> Bool {
        switch code {
        case .connectionLost, .endedWithoutGoodbye, .timedOut: subject == nil || subject == address
        default: false
        }
    }

    /// Whether the peer's next stream may be better: it failed, or was given up by this side.
    fileprivate var mayPass: Bool {
        code == .peerFailed || limit == .idleTime || limit == .decodeFailures
    }
}
