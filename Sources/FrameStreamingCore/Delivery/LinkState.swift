/// What a ``ReceiverLink`` has under its lock.
struct LinkState {
    var session: ReceiverLink.Session
    /// The connection that there is, or that is being closed.
    var connection: LinkConnection?
    /// A connection that the receiver made while the one before was there: it is used when that is
    /// gone.
    var next: LinkConnection?
    var lastNumber: UInt64 = 0
    /// The last receiver at the other end, after the connection is gone.
    var peer: Peer
    /// What goes when the connection has room: by the poller, or by the link's thread for a
    /// connection that is not polled.
    var blocked: BlockedSend?
    /// The link's thread; nil = there is none.
    var thread: LinkThread.Activity?
    /// Connections that somebody reads: the poller, or a thread of their own.
    var readers = 0
    /// Connections over which a goodbye is being said or answered.
    var goodbyes: [LinkConnection] = []
    /// Nobody waits for a goodbye, neither one that is under way nor one that begins now.
    var isCancelled = false
    /// The number of the run's last frame that it was offered, or has counted as missed.
    var offered: UInt64 = 0
    /// Frames in a row that were offered and changed nothing, while nothing else happened.
    var quietOffers = 0
    /// It is not offered frames, and takes what it missed before the next event.
    var rests = false
    var countsBefore = SenderStatistics()

    /// When the link's thread is to look although nothing happens. The end is watched by those who
    /// wait for it, and the time of a receiver that is away by the ``AcknowledgementPoller``:
    /// thousands may be away at once, and a thread for each would be too many.
    @inline(__always)
    var threadWakeAt: MonotonicTime? { session.frames.flow.wakeAt }

    /// Whether the link's thread has something to do, or is to sleep until another time.
    ///
    /// - Parameter connects: The thread makes the connections.
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
