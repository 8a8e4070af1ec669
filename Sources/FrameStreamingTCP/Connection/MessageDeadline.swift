internal import FrameStreamingCore
internal import FrameStreamingSystem

/// When the message that is being read must be whole: counted from its first byte, so that a peer that trickles is cut off.
struct MessageDeadline {
    private let timeout: Duration
    /// The same in nanoseconds, to be added for every message. Half of the clock's range is for ever.
    private let nanoseconds: Int64
    private(set) var due: MonotonicTime?

    init(_ timeout: Duration) {
        self.timeout = timeout
        nanoseconds = min(timeout.wholeNanoseconds, .max / 2)
    }

    mutating func begin() { if due == nil { due = MonotonicTime(nanoseconds: monotonicNow() + nanoseconds) } }
    mutating func end() { due = nil }

    /// The earlier of the caller's deadline and this.
    func bounding(_ deadline: Deadline) -> Int64? {
        due.map { Deadline.at($0).earlier(deadline).nanoseconds } ?? deadline.nanoseconds
    }

    /// What a wait that timed out means: the caller's deadline passed, or the message's.
    func meaning(of error: FrameStreamingError, address: String) -> FrameStreamingError {
        guard error.code == .timedOut, hasPassed else { return error }
        return tooSlow(address)
    }

    /// Throws `limitExceeded` once the message is overdue: for who does not wait, and so has no wait that times out.
    func check(address: String) throws(FrameStreamingError) {
        if hasPassed { throw tooSlow(address) }
    }

    private var hasPassed: Bool { due.map { $0 <= .now } ?? false }

    private func tooSlow(_ address: String) -> FrameStreamingError {
        FrameStreamingError(
            .limitExceeded,
            "the peer did not complete a message within \(timeout): it hangs or trickles, or the link is too slow for frames of this size",
            subject: address)
    }
}
