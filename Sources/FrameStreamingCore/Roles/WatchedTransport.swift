package import FrameStreamingSystem

/// A connection that one thread can poll together with others: it says what to wait for, and takes
/// arrived messages without waiting.
///
/// It is for a sender with many receivers, whose acknowledgements would otherwise wake
/// a thread each. The polling thread replaces the thread in
/// ``Transport/receive(until:)``; there must not be both at once.
package protocol WatchedTransport: Transport {
    /// A descriptor that becomes readable when bytes arrive and when either side ends the
    /// connection. Nil if only `receive` can read the connection.
    var watched: Descriptor? { get }

    /// Takes the arrived messages, and does the other work of a thread in `receive`: answers the
    /// peer, and writes the rest of partial messages. It never waits, and reads at most once, so
    /// that a peer that sends much does not delay others.
    ///
    /// - Parameter messages: The arrived messages are appended to it, also if this throws.
    /// - Returns: What to wait for now; nil when the peer has ended cleanly.
    /// - Throws: As `receive`, but never `timedOut`.
    func receiveArrived(into messages: inout [Message]) throws(FrameStreamingError) -> WatchedNeeds?
}

/// What a ``WatchedTransport`` waits for in addition to input.
package struct WatchedNeeds: Hashable, Sendable {
    /// When it must be called even if nothing has arrived; nil = never.
    package var lookBy: MonotonicTime?
    /// Whether it also waits for room to write.
    package var wantsOutput: Bool

    package init(lookBy: MonotonicTime?, wantsOutput: Bool) {
        self.lookBy = lookBy
        self.wantsOutput = wantsOutput
    }
}
