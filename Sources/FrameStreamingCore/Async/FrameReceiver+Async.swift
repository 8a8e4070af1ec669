/// The calls of a receiver for tasks. Each waits on a library thread.
extension FrameReceiver {
    /// The frames as an asynchronous sequence: `for try await received in receiver.frames`.
    ///
    /// An adapter over ``next(until:)``, which runs on a thread of its own, fs-await, never on the
    /// cooperative pool. Asking for the next element acknowledges the one before. There may be one
    /// iterator at a time (``FrameSequence``).
    ///
    /// How a loop is left decides what the sender hears:
    ///
    /// - **The sender ends.** The loop ends, its last frame is acknowledged, and the goodbye is
    ///   answered before that. An error of the connection or of the sender is thrown.
    /// - **The task is cancelled.** The loop ends within 100 ms, whatever the sender does. A thread
    ///   says goodbye, ``Goodbye/stopped(_:)``, for 700 ms at most; frames that were not consumed
    ///   are not acknowledged. If the body of the loop is cancelled, and throws or breaks, the
    ///   receiver says the same goodbye when it is released.
    /// - **`break`** ends nothing: another loop continues. The last frame is not acknowledged so
    ///   far. `await receiver.close()` acknowledges it, and tells the sender that this side has
    ///   what it wanted.
    /// - **A throw in the body** ends nothing either, and a receiver cannot tell it from a `break`.
    ///   A program that holds the receiver calls
    ///   `await receiver.close(.failed("\(error)"), consumed: false)`.
    /// - **Releasing the receiver** without `close(_:consumed:)` says that it failed, after a
    ///   `break` too: the sender's run throws `peerFailed`, and the last frame is not acknowledged.
    ///
    /// A program should not exit before the goodbye was answered: otherwise the sender may report
    /// a broken connection. So its last call is `await receiver.close()`, after the loop:
    ///
    /// ```swift
    /// do {
    ///     for try await received in receiver.frames { try store(received.frame) }
    /// } catch {
    ///     await receiver.close(.failed("\(error)"), consumed: false)
    ///     throw error
    /// }
    /// await receiver.close()
    /// ```
    ///
    /// After a loop that the sender ended, this returns at once. After a cancelled loop it waits
    /// for the goodbye that is under way, also in the cancelled task.
    public var frames: FrameSequence { FrameSequence(receiver: self) }

    /// Waits for a frame and returns the newest one, for a task: `try await receiver.latest()`.
    /// Frames before it are acknowledged as skipped.
    ///
    /// It waits on a thread of the library, fs-await. Nil when the sender has ended cleanly, and
    /// after ``stop(_:)``. Nil also within 100 ms after the task was cancelled, which ends the
    /// stream as a cancelled loop over ``frames`` does.
    ///
    /// - Throws: As ``next(until:)``.
    public func latest(until deadline: Deadline = .never) async throws(FrameStreamingError) -> ReceivedFrame? {
        try await FramePump(self).next(FramePump.Request(newest: true, deadline: deadline))
    }

    /// As the blocking `request`, for a task: `try await receiver.request(.quality(40))`.
    ///
    /// It waits on a thread of the library, fs-request.
    ///
    /// - Throws: As the blocking `request`. `cancelled` within 100 ms after the task was cancelled:
    ///   the stream goes on, and the sender may comply if the request was sent.
    public func request(_ request: ReceiverRequest) async throws(FrameStreamingError) {
        let cancelled = FrameStreamingError(.cancelled, "the wait for the answer to a request was cancelled")
        if Task.isCancelled { throw cancelled }
        let (inbox, limit) = (inbox, patience.ordinary)
        try await callOnThread("fs-request", whenCancelled: .failure(cancelled)) { () throws(FrameStreamingError) in
            try inbox.request(request, until: .after(limit))
        }
    }

    /// As the blocking `close`, for a task: `await receiver.close()`. It returns when the goodbye
    /// is over, so that the program may exit.
    ///
    /// It waits on a thread of the library, fs-close. A cancelled task can still say goodbye: then
    /// this takes 700 ms at most, whatever the goodbye. If the task is cancelled during the call,
    /// only the wait ends, within 100 ms: the thread goes on with the goodbye, for which another
    /// call would wait. ``cancel()`` ends it.
    ///
    /// - Parameters:
    ///   - goodbye: The goodbye for the sender; the first one counts, unless this one is a failure.
    ///   - consumed: Whether the consumer has finished with its frame, as for the blocking `close`.
    public func close(_ goodbye: Goodbye = .complete("receiver ended"), consumed: Bool = true) async {
        if hasSaidGoodbye { return }
        let wasCancelled = Task.isCancelled
        let limit = wasCancelled ? patience.afterStop : nil
        let call: @Sendable () throws(FrameStreamingError) -> Void = {
            self.close(goodbye, consumed: consumed, limit: limit)
        }
        do throws(FrameStreamingError) {
            if wasCancelled {
                try await callOnThread("fs-close", cancel: {}, call)
            } else {
                try await callOnThread("fs-close", whenCancelled: .success(()), call)
            }
        } catch {
            // No thread could be started. Then the sender sees a broken connection.
            cancel()
        }
    }
}
