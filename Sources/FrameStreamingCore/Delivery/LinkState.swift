/// The state of a ``ReceiverLink`` under its lock.
struct LinkState {
    var session: ReceiverLink.Session
    /// The present connection, or the one that is being closed.
    var connection: LinkConnection?
    /// A connection that the receiver made before the last one was gone. It is used afterwards.
    var next: LinkConnection?
    var lastNumber: UInt64 = 0
    /// The last peer, also after the connection is gone.
    var peer: Peer
    /// The message that is sent when the connection has room: by the poller, or by the link's
    /// thread for a connection that is not polled.
    var blocked: BlockedSend?
    /// What the link's thread does; nil = there is no thread.
    var thread: LinkThread.Activity?
    /// How many connections are read, by the poller or by a thread of their own.
    var readers = 0
    /// Connections over which a goodbye is being said or answered.
    var goodbyes: [LinkConnection] = []
    /// Ends the wait for goodbyes: those under way, and those that begin from now on.
    var isCancelled = false
    /// The number of the run's last frame that was offered to the link, or counted as missed.
    var offered: UInt64 = 0
    /// How many frames in a row were offered without effect, while nothing else happened.
    var quietOffers = 0
    /// Whether the link rests: it is not offered frames, and counts what
    /// it missed before the next event.
    var rests = false
    var countsBefore = SenderStatistics()

    /// When the link's thread must look without an event. The callers that wait for the end watch
    /// that. The ``AcknowledgementPoller`` watches receivers that are away: thousands may be away
    /// at once, and a thread for each would be too many.
    @inline(__always)
    var threadWakeAt: MonotonicTime? { session.frames.flow.wakeAt }

    /// Whether the link's thread has work, or must sleep until another time.
    ///
    /// - Parameter connects: Whether the thread makes the connections.
    @inline(__always)
    func mustWakeThread(connects: Bool) -> Bool {
        guard !session.phase.hasEnded else { return thread != nil }
        let hasWork = session.needsConnection && (connects || next != nil)
        return switch thread {
        case .works: false
        case .sleeps(let time): hasWork || time != threadWakeAt
        case nil: hasWork || threadWakeAt != nil
        }
    }

    var isOver: Bool { session.phase.hasEnded && thread == nil && readers == 0 && goodbyes.isEmpty }

    mutating func nextNumber() -> ConnectionNumber {
        lastNumber += 1
        return ConnectionNumber(value: lastNumber)
    }
}
