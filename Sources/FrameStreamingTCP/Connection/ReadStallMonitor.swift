internal import FrameStreamingCore

/// Looks after the message that is being read, from its first byte on: by when more of it must have come.
struct ReadStallMonitor {
    private let limits: MessageProgress.Limits
    private var progress: MessageProgress?
    /// Bytes that came since the message began.
    private var bytes: UInt64 = 0
    /// By when it is looked at again, unless more comes before; nil while there is no message.
    private(set) var due: MonotonicTime?

    init(_ limits: MessageProgress.Limits) { self.limits = limits }

    /// Some of a message has come, and not all of it.
    mutating func begin() {
        guard progress == nil else { return }
        bytes = 0
        let now = MonotonicTime.now
        var progress = MessageProgress(limits, at: now)
        if case .goesOn(let due) = progress.look(0, at: now) { self.due = due }
        self.progress = progress
    }

    mutating func end() {
        progress = nil
        due = nil
    }

    /// So many bytes have come.
    ///
    /// - Throws: `connectionLost` where they come too slowly.
    mutating func moved(_ count: Int, address: String) throws(FrameStreamingError) {
        guard progress != nil else { return }
        bytes &+= UInt64(count)
        try look(address: address)
    }

    /// To be called once nothing more has come, and not before: a program that was stopped finds much that came meanwhile.
    ///
    /// - Throws: `connectionLost` where the message stands still, or comes too slowly.
    mutating func look(address: String) throws(FrameStreamingError) {
        guard let verdict = progress?.look(bytes, at: .now) else { return }
        if let error = verdict.error(limits, address: address) { throw error }
        if case .goesOn(let due) = verdict { self.due = due }
    }

    /// The earlier of the caller's deadline and ``due``.
    func bounding(_ deadline: Deadline) -> Int64? {
        due.map { Deadline.at($0).earlier(deadline).nanoseconds } ?? deadline.nanoseconds
    }

    /// One read of some of a message's bytes, by `body`, which gets a deadline and says how many came.
    ///
    /// - Throws: `endedWithoutGoodbye` at the end of the peer's bytes; `timedOut`; `connectionLost` for a message that does not get on.
    mutating func reading(
        from channel: Channel, until limit: Deadline, _ body: (Int64?) throws(FrameStreamingError) -> Int
    ) throws(FrameStreamingError) {
        while true {
            do throws(FrameStreamingError) {
                let count = try body(bounding(limit))
                guard count > 0 else { throw .ended(channel.address) }
                return try moved(count, address: channel.address)
            } catch {
                guard error.code == .timedOut, let due, due <= .now else { throw error }
                try look(address: channel.address)
                if limit.hasPassed { throw error }
            }
        }
    }
}
