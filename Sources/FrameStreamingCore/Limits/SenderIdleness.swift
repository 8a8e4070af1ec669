/// Decides whether a sender sends no frame although it may: `(event, now) -> verdict`, without a
/// clock.
///
/// Time in which the consumer has a frame, or frames wait for it, does not count: then the sender may
/// have no credit.
struct SenderIdleness: Sendable {
    private let limit: Duration
    private var movedAt: MonotonicTime
    private var received: UInt64 = 0
    private var acknowledged: UInt64 = 0

    init(_ limit: Duration, at now: MonotonicTime) {
        self.limit = limit
        movedAt = now
    }

    /// A frame has arrived.
    mutating func noteArrival(_ sequence: UInt64, at now: MonotonicTime) {
        received = max(received, sequence)
        movedAt = now
    }

    /// A frame was acknowledged, with any outcome.
    mutating func noteAcknowledgement(_ sequence: UInt64, at now: MonotonicTime) {
        acknowledged = max(acknowledged, sequence)
        movedAt = now
    }

    /// Whether the sender was idle for as long as it may be.
    func isOver(at now: MonotonicTime) -> Bool { isSendersTurn && now >= movedAt.advanced(by: limit) }

    /// When to look again.
    func due(at now: MonotonicTime) -> MonotonicTime { (isSendersTurn ? movedAt : now).advanced(by: limit) }

    private var isSendersTurn: Bool { acknowledged >= received }
}
