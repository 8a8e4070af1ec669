internal import FrameStreamingCore

/// When to ask for the peer's clock, or only how far away it is, and what its answers come to. No I/O, and time is what it is told.
///
/// A few questions in a row at first, so that the first pictures have an age soon. Then one now and then for as long as the
/// connection lives, because clocks drift and ways change; none where the peer reads our clock, and nobody wants to know the way.
/// A question is best put where nothing of ours is in its way: before a frame or an acknowledgement is sent. Where there are none, the
/// thread that waits for the peer asks for the clock; how long the way is for frames matters to nobody then.
struct ClockMeasurement: Hashable {
    /// Which clock the peer reads, for all that is known.
    enum Clock: Hashable {
        /// One of its own, which is measured.
        case another
        /// Ours, says its boot id, which a time namespace and a machine cloned with its memory have as well. Nothing was measured
        /// that shows it, so nothing is known.
        case claimed
        /// Ours: what was measured agrees.
        case ours
    }

    private(set) var clock: Clock
    /// Whether this side wants to know how long the way is, once somebody has asked for it.
    private let measuresWay: Bool
    /// When this side ended its part of the handshake: the peer has sent no frame before.
    private let start: Int64

    private static let first = 8
    private static let firstInterval: Int64 = 100_000_000
    private static let interval: Int64 = 1_000_000_000
    /// How long the thread that waits leaves it to those who send. Above the interval of a stream that is a stream, so
    /// that a wait need not end for a question which somebody else puts.
    private static let patience: Int64 = 1_000_000_000
    /// How well an answer must be known to show that the clock is ours, in nanoseconds: one that took seconds agrees with anything.
    private static let telling: Int64 = 50_000_000

    private var filter = ClockFilter()
    private var asked: UInt64 = 0
    /// Questions since the peer's clock was found to be another.
    private var series = 0
    private var isWayWanted = false
    /// When the next question is due, and when nobody has put it and the thread that waits must.
    private var due: Int64
    private var overdue: Int64

    /// - Parameters:
    ///   - start: When this side ended its part of the handshake.
    ///   - measuresWay: Whether it measures the way for who wants to know, also where the clock is known to be ours.
    init(_ clock: Clock, measuresWay: Bool, start: Int64) {
        self.clock = clock
        self.measuresWay = measuresWay
        self.start = start
        due = clock == .ours ? .max : .min
        overdue = due
        if clock == .ours { series = Self.first }
    }

    /// When the next question is due; `.max` = none is.
    var dueTime: Int64 { due }

    /// When the thread that waits for the peer should ask by itself; `.max` = never.
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
            if !isWayWanted { due = .max }
        }
        return Ping(id: asked, sendTime: now)
    }

    /// It could not be asked, for something else is being written.
    mutating func postpone(at now: Int64) { overdue = max(overdue, now + Self.firstInterval / 5) }

    /// Takes an answer that was read at `now`. What was never asked, or answers itself, measures nothing.
    mutating func record(_ pong: Pong, at now: Int64) {
        guard asked > 0, (1...asked).contains(pong.id),
            let sample = ClockFilter.Sample(
                asked: pong.echoedTime, heard: pong.receiveTime, said: pong.sendTime, answered: now)
        else { return }
        filter.add(sample, at: now)
        guard clock != .another else { return }
        let error = sample.error(at: now)
        if sample.offset.magnitude > error.magnitude {
            // From here on what is measured counts, whatever the boot id says.
            clock = .another
            series = 0
            due = now
            overdue = now
        } else if error <= Self.telling {
            clock = .ours
        }
    }

    /// Takes the connection's first frame, which is an answer, too: the peer sent it after this side had ended its part of the
    /// handshake. It shows that a claimed clock is ours before the first PONG is here; that it is not, only a PONG shows.
    ///
    /// - Parameter sent: When it was handed to the connection, on the peer's clock; nil = not told.
    mutating func record(firstFrame sent: Int64?, arrived: Int64) {
        guard clock == .claimed, let sent,
            let sample = ClockFilter.Sample(asked: start, heard: sent, said: sent, answered: arrived)
        else { return }
        let error = sample.error(at: arrived)
        if sample.offset.magnitude <= error.magnitude, error <= Self.telling { clock = .ours }
    }

    /// What is known of the peer's clock.
    func estimate(at now: Int64) -> ClockFilter.Estimate? {
        switch clock {
        case .ours: return ClockFilter.Estimate(offset: 0, error: 0)
        case .another: return filter.estimate(at: now)
        case .claimed:
            // Answers so slow that they tell little: ours within what they leave open.
            guard let measured = filter.estimate(at: now) else { return nil }
            let (error, overflow) = measured.error.addingReportingOverflow(Int64(clamping: measured.offset.magnitude))
            return ClockFilter.Estimate(offset: 0, error: overflow ? .max : error)
        }
    }

    /// How long the way there and back is, in nanoseconds; nil where no answer says so. The first one who wants to know has it measured.
    mutating func roundTrip(at now: Int64) -> Int64? {
        if measuresWay, !isWayWanted {
            isWayWanted = true
            if due == .max { due = now }
        }
        return filter.roundTrip(at: now)
    }
}
