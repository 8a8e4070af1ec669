internal import FrameStreamingCore

/// Checks that the message that is being read makes progress, from its first byte on, and sees to it
/// that a connection reads no faster than it may.
struct ReadStallMonitor {
    private let limits: MessageProgress.Limits
    /// Nil = as fast as the peer sends.
    private var pace: ByteRateLimit?
    private let holdBacks: HoldBacks?
    private var progress: MessageProgress?
    /// Bytes that were read since the message began.
    private var bytes: UInt64 = 0
    /// When to look at the message again; nil if none has begun.
    private(set) var due: MonotonicTime?

    /// - Parameters:
    ///   - rate: Bytes a second; 0 = as fast as the peer sends.
    ///   - holdBacks: Counts the pauses.
    init(_ limits: MessageProgress.Limits, rate: Int = 0, holdBacks: HoldBacks? = nil) {
        self.limits = limits
        self.holdBacks = holdBacks
        pace = rate > 0 ? ByteRateLimit(rate) : nil
    }

    /// The most bytes to read at once.
    var largestRead: Int { pace?.largestRead ?? .max }

    /// Notes that a part of a message was read.
    mutating func begin() {
        guard progress == nil else { return }
        bytes = 0
        let now = MonotonicTime.now
        var progress = MessageProgress(limits, at: now)
        if case .goesOn(let due) = progress.look(0, at: now) { self.due = due }
        self.progress = progress
    }

    /// Notes that the message is complete.
    mutating func end() {
        progress = nil
        due = nil
    }

    /// Notes that `count` more bytes were read.
    ///
    /// - Throws: `connectionLost` if they arrive too slowly.
    mutating func moved(_ count: Int, address: String) throws(FrameStreamingError) {
        guard progress != nil else { return }
        bytes &+= UInt64(count)
        try look(address: address)
    }

    /// Judges the message. Call it only when there is nothing to read: a program that was stopped
    /// by a signal finds many bytes that arrived meanwhile.
    ///
    /// - Throws: `connectionLost` if the message stalls, or arrives too slowly.
    mutating func look(address: String) throws(FrameStreamingError) {
        guard let verdict = progress?.look(bytes, at: .now) else { return }
        if let error = verdict.error(limits, address: address) { throw error }
        if case .goesOn(let due) = verdict { self.due = due }
    }

    /// The earlier of the caller's deadline and ``due``.
    func bounding(_ deadline: Deadline) -> Int64? {
        due.map { Deadline.at($0).earlier(deadline).nanoseconds } ?? deadline.nanoseconds
    }

    /// Reads some of a message's bytes by `body`, which gets a deadline and returns how many it has
    /// read.
    ///
    /// - Throws: `endedWithoutGoodbye` at the end of the peer's bytes; `timedOut`; `connectionLost`
    ///   for a message that makes no progress.
    mutating func reading(
        from channel: Channel, until limit: Deadline, driving writer: MessageWriter,
        _ body: (Int64?) throws(FrameStreamingError) -> Int
    ) throws(FrameStreamingError) {
        if let until = pace?.pause(at: .now) {
            holdBacks?.note(.byteRate)
            try channel.rest(until: limit.earlier(.at(until)), driving: writer)
            if limit.hasPassed { throw .timedOut("the rate at which this side reads") }
        }
        while true {
            do throws(FrameStreamingError) {
                let count = try body(bounding(limit))
                guard count > 0 else { throw .ended(channel.address) }
                pace?.take(count, at: .now)
                return try moved(count, address: channel.address)
            } catch {
                guard error.code == .timedOut, let due, due <= .now else { throw error }
                try look(address: channel.address)
                if limit.hasPassed { throw error }
            }
        }
    }
}
