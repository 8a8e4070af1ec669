/// The blocking calls of a sender for tasks: each waits on a library thread, and ends within 100 ms
/// when its task is cancelled.
extension FrameSender {
    /// As the blocking `run`, for a task: `try await sender.run(&source)`.
    ///
    /// The source is used on a thread of the library, fs-run, and is back in the variable when this
    /// returns or throws.
    ///
    /// - Throws: As the blocking `run`. `cancelled` if the task is cancelled, which cancels the
    ///   sender: the receivers see an end without a goodbye. The source is waited for, as long
    ///   as it takes to return from `next`.
    @discardableResult
    public func run<Source: FrameSource>(
        _ source: inout sending Source
    ) async throws(FrameStreamingError) -> SenderSummary {
        let lent = LentSource(source)
        defer { source = lent.source }
        return try await callOnThread("fs-run", cancel: cancel) { () throws(FrameStreamingError) in
            try self.run(&lent.source)
        }
    }

    /// As the blocking `finish`, for a task: `try await sender.finish()`.
    ///
    /// - Throws: As the blocking `finish`. `cancelled` if the task is cancelled, which cancels the
    ///   sender.
    @discardableResult
    public func finish(
        _ goodbye: Goodbye = .complete("end of stream")
    ) async throws(FrameStreamingError) -> SenderSummary {
        try await callOnThread("fs-finish", cancel: cancel) { () throws(FrameStreamingError) in
            try self.finish(goodbye)
        }
    }

    /// As the blocking `serve`, for a task: `try await sender.serve(transport)` returns when that
    /// connection has ended. `add` does not wait for that.
    ///
    /// It waits on a thread of the library, fs-serve.
    ///
    /// - Throws: As the blocking `serve`. `cancelled` if the task is cancelled, which closes the
    ///   connection without a goodbye; the sender's other receivers go on.
    public func serve(
        _ transport: any Transport, policy: DeliveryPolicy? = nil, window: SendWindow? = nil
    ) async throws(FrameStreamingError) {
        let cancelled = FrameStreamingError.cancelled("the wait for the end of a connection")
        if Task.isCancelled {
            transport.close()
            throw cancelled
        }
        try await callOnThread("fs-serve", cancel: transport.close) { () throws(FrameStreamingError) in
            try self.serve(transport, policy: policy, window: window)
        }
        if Task.isCancelled { throw cancelled }
    }
}

/// A source on its way to the thread of a run and back.
///
/// It is Sendable without a lock: the task waits while the thread uses the source, which no other
/// code can reach, because `run` takes it as `sending`.
private final class LentSource<Source: FrameSource>: @unchecked Sendable {
    var source: Source

    init(_ source: Source) { self.source = source }
}
