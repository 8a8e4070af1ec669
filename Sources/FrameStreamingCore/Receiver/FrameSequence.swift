internal import FrameStreamingSystem

extension FrameReceiver {
    /// The frames as an asynchronous sequence: `for try await received in receiver.frames`.
    ///
    /// An adapter over ``next(until:)``, which runs on a thread of its own, never on the
    /// cooperative pool. Asking for the next element acknowledges the one before. Cancelling the
    /// task ends the sequence at once, whatever the sender does; the thread then says goodbye for
    /// 700 ms at most. Leaving the loop ends nothing: another loop continues, and
    /// ``close(_:consumed:)`` acknowledges the last frame and says goodbye. Releasing the receiver
    /// says goodbye, too, but leaves the last frame unacknowledged, because its consumer may have
    /// thrown. There may be one iterator at a time.
    public var frames: FrameSequence { FrameSequence(receiver: self) }
}

/// The frames of a receiver: see ``FrameReceiver/frames``.
public struct FrameSequence: AsyncSequence, Sendable {
    /// A frame as a consumer gets it.
    public typealias Element = ReceivedFrame
    /// The error that ended the connection, if it did not end cleanly.
    public typealias Failure = FrameStreamingError

    let receiver: FrameReceiver

    /// An iterator with a thread of its own.
    public func makeAsyncIterator() -> Iterator { Iterator(pump: FramePump(receiver)) }

    /// Hands each request to the thread and waits for its answer without blocking.
    public struct Iterator: AsyncIteratorProtocol {
        let pump: FramePump

        /// The next frame; nil at the end, or when the task was cancelled.
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
