internal import FrameStreamingCore
internal import FrameStreamingSystem

/// How far the peer is away, and what its clock shows.
extension BinaryConnection {
    /// Reads on, and meanwhile asks for what must be known: the peer's clock, where nobody else asked in time, and whether it is there.
    func read(until deadline: Deadline) throws(FrameStreamingError) -> BinaryReader.Item {
        while true {
            let next = min(try lookAfterSilence() ?? .max, try askWhenOverdue())
            let wake = next < .max ? MonotonicTime(nanoseconds: next) : nil
            do throws(FrameStreamingError) {
                return try reader.next(
                    until: wake.map { deadline.earlier(.at($0)) } ?? deadline, takesFrames: role == .receiver)
            } catch {
                guard error.code == .timedOut, let wake, wake <= .now, !deadline.hasPassed else {
                    throw writer.cause(of: error)
                }
            }
        }
    }

    /// Asks where the thread in `receive` must; when it must next, `.max` = never.
    func askWhenOverdue() throws(FrameStreamingError) -> Int64 {
        // For nearly every message of a peer that reads our clock this is all.
        let wake = watch.withLock { $0.wakeTime }
        if wake == .max { return .max }
        // Nobody needs the time of a peer that ends.
        if life.look({ $0.hasSaidFarewell || $0.goodbye != nil }) { return .max }
        let now = monotonicNow()
        if wake > now { return wake }
        do throws(FrameStreamingError) {
            if try !askForClock() { watch.withLock { $0.postpone(at: now) } }
        } catch {
            // What cannot be written is told to those who write. What can still be read is read.
            if error.code == .closed { throw error }
            return .max
        }
        return watch.withLock { $0.wakeTime }
    }

    /// Asks before something else is sent, where a question is due. What is wrong with the connection is for the other message to
    /// find out.
    func askOnTheWay() {
        let due = watch.withLock { $0.dueTime }
        guard due < .max, due <= monotonicNow() else { return }
        _ = try? askForClock()
    }

    /// False: something else is being written, and behind it the question would measure that.
    private func askForClock() throws(FrameStreamingError) -> Bool {
        try writer.offer { MessageWriter.Outgoing(watch.withLock { $0.ask(at: monotonicNow()) }.marshal()) }
    }

    var clock: ClockFilter.Estimate? { watch.withLock { $0.estimate(at: $0.clock == .ours ? 0 : monotonicNow()) } }

    var roundTrip: Int64? {
        let now = monotonicNow()
        return watch.withLock { $0.roundTrip(at: now) }
    }
}
