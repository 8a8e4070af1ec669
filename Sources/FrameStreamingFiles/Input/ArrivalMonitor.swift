import FrameStreamingCore

/// Decides whether bytes arrived when they were read: `(event, now) -> verdict`, without a clock of
/// its own.
///
/// Bytes wait in a pipe, and in front of it, while it is not read. How long they waited is not
/// known, so a frame of such bytes has no capture time rather than a wrong one.
struct ArrivalMonitor: Sendable {
    /// The longest pause between two reads after which bytes are taken as new, and so the largest
    /// error of an arrival time.
    static let longestPause = Duration.milliseconds(20)
    /// A read that has to wait for this long has caught up with the input. A shorter wait may be
    /// that of a program that copies what it has in store.
    static let shortestWait = Duration.milliseconds(2)

    /// Whether bytes that are read now may have arrived earlier.
    private(set) var isBehind = false
    /// When the last bytes were read, or the input was opened.
    private(set) var readAt: MonotonicTime
    /// When the last read returned, with bytes or without.
    private var returnedAt: MonotonicTime

    init(openedAt now: MonotonicTime) { (readAt, returnedAt) = (now, now) }

    /// Notes that a read begins.
    mutating func begins(at now: MonotonicTime) {
        if now.since(returnedAt) > Self.longestPause { isBehind = true }
    }

    /// Notes that a read waited until now for the first byte, or in vain.
    mutating func waited(since start: MonotonicTime, at now: MonotonicTime) {
        if now.since(start) >= Self.shortestWait { isBehind = false }
    }

    /// Notes that a read has returned, with bytes or without.
    mutating func returned(withBytes: Bool, at now: MonotonicTime) {
        returnedAt = now
        if withBytes { readAt = now }
    }
}
