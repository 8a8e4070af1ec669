internal import FrameStreamingSystem

/// The frames of a receiver: see ``FrameReceiver/frames``.
///
/// A receiver has one consumer at a time: asking for a frame acknowledges the one before, which
/// another consumer might still use. An iterator has its turn from its first `next()` until it is
/// released, as it is when its loop is left. Meanwhile the first `next()` of any other iterator,
/// ``FrameReceiver/next(until:)``, `FrameReceiver.latest(until:)` and a ``ReceiverSource`` throw
/// `busy` at once, and the loop that has its turn goes on. Likewise an iterator throws `busy` while
/// such a call waits. Several tasks that share the frames need one loop that gives them out.
public struct FrameSequence: AsyncSequence, Sendable {
    /// A frame as a consumer gets it.
    public typealias Element = ReceivedFrame
    /// The error that ended the connection, if it did not end cleanly; `busy`.
    public typealias Failure = FrameStreamingError

    let receiver: FrameReceiver

    /// An iterator with a thread of its own.
    public func makeAsyncIterator() -> Iterator { Iterator(pump: FramePump(receiver)) }

    /// Hands each request to the thread and waits for its answer without blocking.
    public struct Iterator: AsyncIteratorProtocol {
        let pump: FramePump

        /// The next frame; nil at the end, or when the task was cancelled.
        ///
        /// - Throws: What ended the connection; `busy` if another consumer has its turn.
        public mutating func next() async throws(FrameStreamingError) -> ReceivedFrame? {
            try await pump.next()
        }

        /// The next frame, for callers on any actor.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(FrameStreamingError) -> ReceivedFrame? {
            try await pump.next()
        }
    }
}
