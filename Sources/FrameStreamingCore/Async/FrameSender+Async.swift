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
}

/// A source on its way to the thread of a run and back.
///
/// It is Sendable without a lock: the task waits while the thread uses the source, which no other
/// code can reach, because `run` takes it as `sending`.
private final class LentSource<Source: FrameSource>: @unchecked Sendable {
    var source: Source

    init(_ source: Source) { self.source = source }
}
