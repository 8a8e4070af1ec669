internal import FrameStreamingCore
internal import FrameStreamingSystem

/// How far the peer is away, and what its clock shows.
extension BinaryConnection {
    /// Reads on, and meanwhile asks for what must be known: the peer's clock, where nobody else asked in time, and whether it is there.
    func read(until deadline: Deadline) throws(FrameStreamingError) -> BinaryReader.Item {
        while true {
            var wake: MonotonicTime? = try lookAfterSilence().map { MonotonicTime(nanoseconds: $0) }
            if let watch, asksWhileWaiting {
                let asking = MonotonicTime(nanoseconds: try askWhenOverdue(watch))
                wake = min(wake ?? asking, asking)
            }
            do throws(FrameStreamingError) {
                return try reader.next(
                    until: wake.map { deadline.earlier(.at($0)) } ?? deadline, takesFrames: role == .receiver)
            } catch {
                guard error.code == .timedOut, let wake, wake <= .now, !deadline.hasPassed else {
                    throw outbox.cause(of: error)
                }
            }
        }
    }

    /// Asks where the thread in `receive` must; when it must next.
    func askWhenOverdue(_ watch: Monitor<ClockWatch>) throws(FrameStreamingError) -> Int64 {
        // Nobody needs the time of a peer that ends.
        if life.look({ $0.hasSaidFarewell || $0.goodbye != nil }) { return .max }
        let (now, wake) = (monotonicNow(), watch.withLock { $0.wakeTime })
        if wake > now { return wake }
        do throws(FrameStreamingError) {
            if try !ask(watch) { watch.withLock { $0.postpone(at: now) } }
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
        guard let watch, watch.withLock({ $0.isDue(at: monotonicNow()) }) else { return }
        _ = try? ask(watch)
    }

    /// False: something else is being written, and behind it the question would measure that.
    private func ask(_ watch: Monitor<ClockWatch>) throws(FrameStreamingError) -> Bool {
        try outbox.offer { Outbox.Outgoing(watch.withLock { $0.ask(at: monotonicNow()) }.marshal()) }
    }

    var clock: ClockFilter.Estimate? {
        guard let watch else { return nil }
        let now = monotonicNow()
        return watch.withLock { $0.estimate(at: now) }
    }

    var roundTrip: Int64? {
        guard let watch else { return nil }
        let now = monotonicNow()
        return watch.withLock { $0.roundTrip(at: now) }
    }
}
