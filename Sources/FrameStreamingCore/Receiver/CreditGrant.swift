/// Computes how far a sender may be ahead of the last consumed frame: `(arrived, consumed)
/// -> credit`, without a connection.
///
/// Frames of the recent sizes fit into the available memory. Granted credit is never taken back.
struct CreditGrant {
    /// The largest number of frames.
    private let ahead: UInt64
    /// The highest number that was granted.
    private(set) var through: UInt64
    /// The largest recent frame in bytes. A smaller one lowers it by a sixteenth of the difference.
    private var largest = 0

    /// - Parameter initial: The credit that was granted before the first frame.
    init(ahead: UInt64, initial: UInt64) {
        self.ahead = ahead
        through = initial
    }

    /// Notes that a frame has arrived.
    mutating func note(bytes: Int) {
        largest = bytes >= largest ? bytes : largest - (largest - bytes) / 16
    }

    /// Notes a consumed frame, and returns the credit from here on, of at least one frame.
    ///
    /// - Parameter memory: The bytes that unconsumed frames may take; nil = no limit.
    mutating func consume(_ sequence: UInt64, memory: Int?) -> UInt64 {
        let fitting = memory.map { UInt64(max(1, $0 / max(1, largest))) } ?? ahead
        let (sum, overflow) = sequence.addingReportingOverflow(min(ahead, fitting))
        through = max(through, overflow ? .max : sum)
        return through
    }
}
