/// How far a sender may be ahead of the last frame that was consumed: `(what came, what was consumed) -> credit`, without a connection.
///
/// Frames of the size that came lately fit into the memory that there is for them. What was granted is never taken back.
struct CreditGrant {
    /// Frames at most.
    private let ahead: UInt64
    /// The highest number that was granted.
    private(set) var through: UInt64
    /// The largest frame lately, in bytes: one that is smaller lowers it by a sixteenth of the difference.
    private var largest = 0

    /// - Parameter initial: What the sender was told before the first frame.
    init(ahead: UInt64, initial: UInt64) {
        self.ahead = ahead
        through = initial
    }

    /// A frame has come.
    mutating func note(bytes: Int) {
        largest = bytes >= largest ? bytes : largest - (largest - bytes) / 16
    }

    /// A frame was consumed: the credit from here on, of at least one frame.
    ///
    /// - Parameter memory: Bytes that frames which are not consumed may take; nil = as many as there are.
    mutating func consume(_ sequence: UInt64, memory: Int?) -> UInt64 {
        let fitting = memory.map { UInt64(max(1, $0 / max(1, largest))) } ?? ahead
        let (sum, overflow) = sequence.addingReportingOverflow(min(ahead, fitting))
        through = max(through, overflow ? .max : sum)
        return through
    }
}
