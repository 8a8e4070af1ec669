package import FrameStreamingSystem

/// A connection that one thread can listen to together with others: it says what to wait for, and takes what has come without waiting.
///
/// For a sender with many receivers, whose acknowledgements would wake a thread each. Whoever listens so stands for the thread that
/// ``Transport`` wants in `receive`: one at a time, and never both ways at once.
package protocol WatchedTransport: Transport {
    /// Becomes readable when something comes and when the connection ends, by whichever side. Nil: it can only be listened to by `receive`.
    var watched: Descriptor? { get }

    /// Takes what has come, and does what a thread in `receive` does beside: answers the peer, writes what is left to be written.
    /// Never waits, and reads at most once, so that nobody who sends much keeps others waiting.
    ///
    /// - Parameter messages: Gets what came at its end, also where this throws.
    /// - Returns: What to wait for now; nil when the peer ended in good order.
    /// - Throws: As `receive`, but never `timedOut`.
    func receiveArrived(into messages: inout [Message]) throws(FrameStreamingError) -> WatchedNeeds?
}

/// What a ``WatchedTransport`` waits for beside input.
package struct WatchedNeeds: Hashable, Sendable {
    /// When it must be looked after although nothing has come; nil = never.
    package var lookBy: MonotonicTime?
    /// Whether it also waits for room to write.
    package var wantsOutput: Bool

    package init(lookBy: MonotonicTime?, wantsOutput: Bool) {
        self.lookBy = lookBy
        self.wantsOutput = wantsOutput
    }
}
