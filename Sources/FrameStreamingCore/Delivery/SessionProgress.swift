/// How many frames of a session, which outlives its connections, the receiver has
/// consumed, in the sender's count.
struct SessionProgress: Sendable {
    /// Connections so far.
    private(set) var connections = 0
    /// Frames of the session that the receiver has acknowledged.
    private(set) var acknowledged: UInt64 = 0
    /// What to add to the receiver's count to get the sender's. The two differ if the receiver was
    /// restarted and counts from zero again, or knows the session from an earlier run of the
    /// sender. Sums may wrap, because the receiver's count may be any number.
    private var difference: UInt64 = 0

    mutating func noteAcknowledgement() { acknowledged += 1 }

    /// Notes a connection whose receiver reports that it consumed `consumed` frames of the session.
    ///
    /// A count that is impossible, because it is below what was acknowledged or beyond what was
    /// sent, is taken as a count that began elsewhere, and says nothing about the frames in flight:
    /// they are sent again rather than lost.
    ///
    /// - Parameter underWay: How many frames were sent and not acknowledged when the connection
    ///   before was lost.
    /// - Returns: How many of these the receiver consumed: their acknowledgements were lost with
    ///   the connection.
    mutating func connect(consumed: UInt64, underWay: Int) -> Int {
        connections += 1
        // Wraps to a huge number if the receiver's count is below the sender's.
        let unheard = (consumed &+ difference) &- acknowledged
        guard unheard <= UInt64(max(0, underWay)) else {
            difference = acknowledged &- consumed
            return 0
        }
        acknowledged += unheard
        return Int(unheard)
    }
}
