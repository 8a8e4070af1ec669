/// The frames that this side has sent on a connection: the last number, and the bytes that the peer
/// has not acknowledged.
struct SentFrames: Hashable {
    /// The last frame that was sent whole.
    private(set) var last: UInt64 = 0
    /// The last frame whose sending has begun.
    private var lastBegun: UInt64 = 0
    /// Bytes of each frame that was sent and not acknowledged, oldest first.
    private var unacknowledged: [Int] = []

    var unacknowledgedBytes: Int { unacknowledged.reduce(0, &+) }

    /// Counts a frame. A repeated call with the same frame, after a timeout, changes nothing.
    mutating func begin(_ sequence: UInt64, byteCount: Int) {
        guard lastBegun < sequence else { return }
        lastBegun = sequence
        unacknowledged.append(byteCount)
    }

    mutating func end(_ sequence: UInt64) { last = max(last, sequence) }

    /// The peer has acknowledged the oldest frame.
    mutating func acknowledgeOldest() {
        if !unacknowledged.isEmpty { unacknowledged.removeFirst() }
    }
}
