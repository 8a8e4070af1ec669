/// How far the receiver has got in a session that outlives its connections, in the sender's own counting.
struct SessionProgress: Sendable {
    /// Connections so far.
    private(set) var connections = 0
    /// Frames of the session that the receiver has acknowledged.
    private(set) var acknowledged: UInt64 = 0
    /// What the receiver's own count lacks: it was restarted, and counts from zero again.
    private var forgotten: UInt64 = 0

    mutating func noteAcknowledgement() { acknowledged += 1 }

    /// Takes note of a connection whose receiver says that it consumed `consumed` frames of the session.
    ///
    /// Returns how many of those that were under way these include: their acknowledgements were lost with the connection.
    mutating func connect(consumed: UInt64) -> Int {
        connections += 1
        let known = consumed &+ forgotten
        guard known >= acknowledged else {
            forgotten = acknowledged &- consumed
            return 0
        }
        let unheard = known - acknowledged
        acknowledged = known
        return Int(clamping: unheard)
    }
}
