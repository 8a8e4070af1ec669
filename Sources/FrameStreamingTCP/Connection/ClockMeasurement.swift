internal import FrameStreamingCore

/// Decides when to ask for the peer's clock and the round trip, and estimates both from the
/// answers. It has no I/O, and every call gets the time.
///
/// It asks a few times in a row at first, so that the first frames soon have an age. Then it asks
/// once a second as long as the connection lives, because clocks drift and routes change. If the
/// peer reads our clock and no caller needs the round trip, it stops asking.
///
/// A question measures best if nothing is queued in front of it, so it is sent before a frame or an
/// acknowledgement. If there are none, the thread that reads asks for the clock. The round trip of
/// frames does not matter then.
struct ClockMeasurement: Hashable {
    /// Which clock the peer reads, as far as known.
    enum Clock: Hashable {
        /// One of its own, which is measured.
        case another
        /// Ours, by its boot id. A time namespace and a machine that was cloned with its memory
        /// have the same boot id, so this counts only once it was measured.
        case claimed
        /// Ours, and a measurement agrees.
        case ours
    }

    private(set) var clock: Clock
    /// Whether to measure the round trip for a caller of ``roundTrip(at:)``.
    private let measuresRoundTrip: Bool
    /// When this side ended its part of the handshake. The peer has sent no frame before.
    private let start: Int64

    private static let first = 8
    private static let firstInterval: Int64 = 100_000_000
    private static let interval: Int64 = 1_000_000_000
    /// How long the thread that reads leaves the question to the threads that send. Longer than the
    /// interval between frames, so that its wait does not end for a question that another thread
    /// asks.
    private static let patience: Int64 = 1_000_000_000
    /// The largest error, in nanoseconds, of a measurement that shows that the clock is ours. One
    /// that took seconds agrees with any clock.
    private static let conclusiveError: Int64 = 50_000_000

    private var filter = ClockFilter()
    private var asked: UInt64 = 0
    /// Questions since the start, or since the peer's clock was found to be another.
    private var series = 0
    private var isRoundTripWanted = false
    /// When the next question is due, and when the thread that reads must ask it.
    private var due: Int64
    private var overdue: Int64

    /// - Parameters:
    ///   - start: When this side ended its part of the handshake.
    ///   - measuresRoundTrip: Whether to measure the round trip once it is read, even if the clock
    ///     is known to be ours.
    init(_ clock: Clock, measuresRoundTrip: Bool, start: Int64) {
        self.clock = clock
        self.measuresRoundTrip = measuresRoundTrip
        self.start = start
        due = clock == .ours ? .max : .min
        overdue = due
        if clock == .ours { series = Self.first }
    }

    /// When the next question is due; `.max` = none is.
    var dueTime: Int64 { due }

    /// When the thread that reads should ask; `.max` = never.
    var wakeTime: Int64 { overdue }

    /// The next question, which is written at `now`.
    mutating func ask(at now: Int64) -> Ping {
        asked += 1
        series += 1
        let isFirst = series < Self.first
        due = now + (isFirst ? Self.firstInterval : Self.interval)
        overdue = isFirst ? due : due + Self.patience
        if !isFirst, clock == .ours {
            overdue = .max
            if !isRoundTripWanted { due = .max }
        }
        return Ping(id: asked, sendTime: now)
    }

    /// Delays the question, because something else is being written.
    mutating func postpone(at now: Int64) { overdue = max(overdue, now + Self.firstInterval / 5) }

    /// Takes an answer that was read at `now`. An answer without a question, or with impossible
    /// times, is ignored.
    mutating func record(_ pong: Pong, at now: Int64) {
        guard asked > 0, (1...asked).contains(pong.id),
            let sample = ClockFilter.Sample(
                asked: pong.echoedTime, heard: pong.receiveTime, said: pong.sendTime, answered: now)
        else { return }
        filter.add(sample, at: now)
        guard clock != .another else { return }
        let error = sample.error(at: now)
        if sample.offset.magnitude > error.magnitude {
            // From here on the measurement counts, whatever the boot id says.
            clock = .another
            series = 0
            due = now
            overdue = now
        } else if error <= Self.conclusiveError {
            clock = .ours
        }
    }

    /// Takes the connection's first frame, which is an answer as well: the peer sent it after this
    /// side had ended its part of the handshake.
    ///
    /// It can show that a claimed clock is ours before the first PONG arrives. Only a PONG shows
    /// that it is not.
    ///
    /// - Parameter sent: When the frame was sent, on the peer's clock; nil = not known.
    mutating func record(firstFrame sent: Int64?, arrived: Int64) {
        guard clock == .claimed, let sent,
            let sample = ClockFilter.Sample(asked: start, heard: sent, said: sent, answered: arrived)
        else { return }
        let error = sample.error(at: arrived)
        if sample.offset.magnitude <= error.magnitude, error <= Self.conclusiveError { clock = .ours }
    }

    /// The estimate of the peer's clock.
    func estimate(at now: Int64) -> ClockFilter.Estimate? {
        switch clock {
        case .ours: return ClockFilter.Estimate(offset: 0, error: 0)
        case .another: return filter.estimate(at: now)
        case .claimed:
            // The answers were too slow to tell. The clock is ours within their error.
            guard let measured = filter.estimate(at: now) else { return nil }
            let (error, overflow) = measured.error.addingReportingOverflow(Int64(clamping: measured.offset.magnitude))
            return ClockFilter.Estimate(offset: 0, error: overflow ? .max : error)
        }
    }

    /// The round trip in nanoseconds; nil without a recent answer. The first call starts the
    /// measurement.
    mutating func roundTrip(at now: Int64) -> Int64? {
        if measuresRoundTrip, !isRoundTripWanted {
            isRoundTripWanted = true
            if due == .max { due = now }
        }
        return filter.roundTrip(at: now)
    }
}
