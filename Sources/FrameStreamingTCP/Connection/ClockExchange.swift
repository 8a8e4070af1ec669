internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Asks for the peer's clock by PING, and takes its answers. ``ClockMeasurement`` decides when to
/// ask.
struct ClockExchange: Sendable {
    private let measurement: Monitor<ClockMeasurement>
    private let writer: MessageWriter
    private let state: ConnectionState

    init(_ measurement: ClockMeasurement, _ writer: MessageWriter, _ state: ConnectionState) {
        self.measurement = Monitor(measurement)
        self.writer = writer
        self.state = state
    }

    /// Asks if the reading thread has to. Returns when it has to ask next; `.max` = never.
    func askIfOverdue() throws(FrameStreamingError) -> Int64 {
        // For nearly every message of a peer that reads our clock, this is all.
        let wake = measurement.withLock { $0.wakeTime }
        if wake == .max { return .max }
        // Nothing needs the time of a peer that ends.
        if state.look({ $0.isEnding }) { return .max }
        let now = monotonicNow()
        if wake > now { return wake }
        do throws(FrameStreamingError) {
            if try !ask() { measurement.withLock { $0.postpone(at: now) } }
        } catch {
            // The writing threads report a failed write. What has arrived is still read.
            if error.code == .closed { throw error }
            return .max
        }
        return measurement.withLock { $0.wakeTime }
    }

    /// Asks before another message is sent, if a question is due. That message will report what is
    /// wrong with the connection.
    func askBeforeSending() {
        let due = measurement.withLock { $0.dueTime }
        guard due < .max, due <= monotonicNow() else { return }
        _ = try? ask()
    }

    /// - Returns: False if something else is being written: a question behind it would measure
    ///   that.
    private func ask() throws(FrameStreamingError) -> Bool {
        try writer.offer {
            MessageWriter.Outgoing(measurement.withLock { $0.ask(at: monotonicNow()) }.marshal())
        }
    }

    func record(_ pong: Pong) {
        let now = monotonicNow()
        measurement.withLock { $0.record(pong, at: now) }
    }

    /// Takes the times of the connection's first frame.
    func record(firstFrame message: Message) {
        guard case .frame(_, let info) = message, let arrived = info.arrivalTime else { return }
        measurement.withLock { $0.record(firstFrame: info.sendTime?.nanoseconds, arrived: arrived.nanoseconds) }
    }

    var estimate: ClockFilter.Estimate? {
        measurement.withLock { $0.estimate(at: $0.clock == .ours ? 0 : monotonicNow()) }
    }

    var roundTrip: Int64? {
        let now = monotonicNow()
        return measurement.withLock { $0.roundTrip(at: now) }
    }
}
