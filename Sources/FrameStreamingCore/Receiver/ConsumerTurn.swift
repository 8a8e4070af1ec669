/// The consumer of a receiver: a call, as long as it lasts, or an iterator, as long as it lives.
enum FrameConsumer: Hashable, Sendable {
    /// A blocking call of the receiver.
    case call
    /// An iterator of ``FrameReceiver/frames``, or one async call, by its number.
    case iterator(UInt64)
}

/// Which consumer has its turn to ask a receiver for frames.
///
/// Asking for a frame acknowledges the one before. A second consumer would acknowledge a frame that
/// the first still uses, and the first would never hear of the frames that the second took. So the
/// second one's request fails.
struct ConsumerTurn: Sendable {
    private var holder: FrameConsumer?
    private var lastIterator: UInt64 = 0

    /// A new consumer. It has its turn from its first request on.
    mutating func makeIterator() -> FrameConsumer {
        lastIterator += 1
        return .iterator(lastIterator)
    }

    /// Whether this consumer may ask.
    func isFree(for consumer: FrameConsumer) -> Bool {
        guard let holder else { return true }
        // Two calls at once are two consumers.
        return consumer != .call && holder == consumer
    }

    /// Begins or continues the consumer's turn.
    ///
    /// - Throws: `busy` if another consumer has it.
    mutating func take(_ consumer: FrameConsumer) throws(FrameStreamingError) {
        guard isFree(for: consumer) else {
            throw FrameStreamingError(
                .busy,
                "another loop, or another call, asks this receiver for frames already: have one consumer, and share its frames"
            )
        }
        holder = consumer
    }

    /// Ends the consumer's turn. Returns false, and does nothing, if the consumer has none.
    @discardableResult
    mutating func giveBack(_ consumer: FrameConsumer) -> Bool {
        guard holder == consumer else { return false }
        holder = nil
        return true
    }
}
