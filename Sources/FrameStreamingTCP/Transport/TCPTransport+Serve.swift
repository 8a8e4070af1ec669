internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A connection that a `serve` lends to its body.
extension TCPTransport: ScopedTransport {
    /// How long the goodbye may take if the body has used up its time.
    static var patience: Duration { .seconds(1) }

    package var isLent: Bool { lent.withLock { $0 } }

    /// Has `body` use the connection, and ends it with a goodbye that says how that went.
    ///
    /// A `body` usually says goodbye itself. Then no second goodbye is sent.
    ///
    /// - Parameters:
    ///   - patience: How long the peer's answer to the goodbye is waited for.
    ///   - cancellation: Ends that wait. After it was cancelled, the goodbye is only said if the
    ///     connection takes it at once.
    func lend(
        patience: Duration = TCPTransport.patience, cancellation: TCPCancellation? = nil,
        to body: (TCPTransport) throws -> Void
    ) throws {
        lent.withLock { $0 = true }
        defer { close() }
        do {
            try body(self)
        } catch {
            if let goodbye = Self.goodbye(after: error) { say(goodbye, patience, cancellation) }
            throw error
        }
        say(Self.unusedGoodbye, patience, cancellation)
    }

    /// The same for a task. A cancel of the task cancels `cancellation` as well.
    ///
    /// A body that was cancelled may return as if all was well, because a loop over `frames` then
    /// just ends. The goodbye says that this side was stopped, and has ``lastWordPatience`` for the
    /// answer.
    func lend(
        cancellation: TCPCancellation, isolation: isolated (any Actor)? = #isolation,
        to body: (TCPTransport) async throws -> Void
    ) async throws {
        lent.withLock { $0 = true }
        defer { close() }
        do {
            try await body(self)
        } catch {
            if let goodbye = Self.goodbye(after: error) { await sayOnThread(goodbye, cancellation) }
            throw error
        }
        await sayOnThread(Task.isCancelled ? Self.stoppedGoodbye : Self.unusedGoodbye, cancellation)
    }

    /// How long a cancelled task waits for the answer to its goodbye.
    private static var lastWordPatience: Duration { .milliseconds(80) }
    private static var unusedGoodbye: Goodbye { "connection no longer used" }
    private static var stoppedGoodbye: Goodbye { .stopped("the other side was stopped") }

    private func sayOnThread(_ goodbye: Goodbye, _ cancellation: TCPCancellation) async {
        // Without a thread no goodbye is sent, and the peer sees a broken connection.
        try? await callOnThread("fs-goodbye", cancel: cancellation.cancel) { () throws(FrameStreamingError) in
            self.say(goodbye, Self.patience, cancellation, afterCancel: Self.lastWordPatience)
        }
    }

    private func say(
        _ goodbye: Goodbye, _ patience: Duration, _ cancellation: TCPCancellation?, afterCancel: Duration = .zero
    ) {
        guard let cancellation else {
            try? finish(goodbye, until: .after(patience))
            return
        }
        do throws(FrameStreamingError) {
            try cancellation.guarding(close) { () throws(FrameStreamingError) in
                try finish(goodbye, until: .after(patience))
            }
        } catch {
            // Where the cancel came before the goodbye began, this side has said nothing so far.
            if error.code == .cancelled { try? finish(goodbye, until: .after(afterCancel)) }
        }
    }

    /// The goodbye for an error of the body; nil if the connection itself failed.
    private static func goodbye(after error: any Error) -> Goodbye? {
        if error is CancellationError { return stoppedGoodbye }
        guard let error = error as? FrameStreamingError else {
            return .failed(String(printable: String(describing: error)))
        }
        return switch error.code {
        case .connectionLost, .endedWithoutGoodbye, .protocolViolation, .closed: nil
        case .cancelled: stoppedGoodbye
        default: .failed(String(printable: error.message))
        }
    }
}
