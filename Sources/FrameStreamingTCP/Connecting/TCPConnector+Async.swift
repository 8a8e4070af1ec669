public import FrameStreamingCore

extension TCPConnector {
    /// As the blocking `serve`, for a task: keeps a connection to the peer until `body` returns, the
    /// task is cancelled, or ``cancel()`` is called.
    ///
    /// ```swift
    /// let connector = try TCPConnector(to: "camera:5600", role: .receiver)
    /// try await connector.serve { transport in
    ///     let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport)
    ///     for try await received in receiver.frames { print(received.frame.format) }
    /// }
    /// ```
    ///
    /// The body runs in the caller's task and isolation. Each attempt to connect and each pause
    /// waits on a thread of the library, fs-connect, and the goodbye on fs-goodbye.
    ///
    /// Cancelling the task cancels the connector. An attempt or a pause ends within 100 ms, and
    /// this returns. A body that runs hears of the cancel as usual. When it has returned, the
    /// goodbye says that this side was stopped, and its answer is waited for less than 100 ms.
    ///
    /// - Parameters:
    ///   - goesOn: As for the blocking `serve`.
    ///   - isolation: The caller's isolation.
    ///   - onWaiting: As for the blocking `serve`.
    ///   - body: As for the blocking `serve`.
    /// - Throws: As the blocking `serve`; `system` if no thread could be started.
    public func serve(
        goesOn: Bool = false, isolation: isolated (any Actor)? = #isolation,
        onWaiting: (FrameStreamingError?, Duration) -> Void = { _, _ in },
        _ body: (TCPTransport) async throws -> Void
    ) async throws {
        var progress = ServeProgress(goesOn: goesOn)
        while !isCancelled {
            let wait: ServeProgress.Wait?
            switch await attemptOnThread() {
            case .failure(let error):
                if isCancelled { return }
                wait = try progress.wait(after: error)
            case .success(let transport):
                let connected = MonotonicTime.now
                var outcome = Result<Void, any Error>.success(())
                do {
                    try await transport.lend(cancellation: cancellation, to: body)
                } catch {
                    outcome = .failure(error)
                }
                wait = try progress.wait(
                    after: outcome, at: transport.peer.address, lifetime: MonotonicTime.now.since(connected),
                    isCancelled: isCancelled || Task.isCancelled)
            }
            guard let wait else { return }
            onWaiting(wait.reason, wait.duration)
            let isUncancelled = try await callOnThread("fs-connect", cancel: cancel) { () throws(FrameStreamingError) in
                self.pause(wait.duration)
            }
            guard isUncancelled else { return }
        }
    }

    private func attemptOnThread() async -> Result<TCPTransport, FrameStreamingError> {
        do throws(FrameStreamingError) {
            return .success(
                try await callOnThread("fs-connect", cancel: cancel) { () throws(FrameStreamingError) in
                    try self.attempt(until: .never)
                })
        } catch {
            return .failure(error)
        }
    }
}
