internal import FrameStreamingCore

/// When to ask for the peer's clock, or only how far away it is, and what its answers come to. No I/O, and time is what it is told.
///
/// A few questions in a row at first, so that the first pictures have an age soon; then one now and then for as long as the
/// connection lives, because clocks drift and ways change. Best asked where nothing of ours is in the way: before a frame or an
/// acknowledgement is sent. Where there are none, the thread that waits for the peer asks for the clock; how long the way is for frames
/// matters to nobody then.
struct ClockWatch: Hashable {
    /// What the questions are for.
    enum Purpose {
        /// The peer's clock, and the way. From the start.
        case clock
        /// The way alone. From when somebody wants to know.
        case roundTrip
    }

    let purpose: Purpose

    private static let first = 8
    private static let firstInterval: Int64 = 100_000_000
    private static let interval: Int64 = 1_000_000_000
    /// How long the thread that waits leaves it to those who send. Above the interval of a stream that is a stream, so
    /// that a wait need not end for a question which somebody else puts.
    private static let patience: Int64 = 1_000_000_000

    private var filter = ClockFilter()
    private var asked: UInt64 = 0
    /// When the next question is due, and when nobody has put it and the thread that waits must.
    private var due: Int64
    private var overdue: Int64

    init(for purpose: Purpose) {
        self.purpose = purpose
        due = purpose == .clock ? .min : .max
        overdue = due
    }

    /// Whether a question is due at `now`.
    func isDue(at now: Int64) -> Bool { due <= now }

    /// When the thread that waits for the peer should ask by itself.
    var wakeTime: Int64 { overdue }

    /// The next question, which is written at `now`.
    mutating func ask(at now: Int64) -> Ping {
        asked += 1
        let isFirst = asked < Self.first
        due = now + (isFirst ? Self.firstInterval : Self.interval)
        if purpose == .clock { overdue = isFirst ? due : due + Self.patience }
        return Ping(id: asked, sendTime: now)
    }

    /// It could not be asked, for something else is being written.
    mutating func postpone(at now: Int64) { overdue = max(overdue, now + Self.firstInterval / 5) }

    /// Takes an answer that was read at `now`. What was never asked, or answers itself, measures nothing.
    mutating func record(_ pong: Pong, at now: Int64) {
        guard (1...max(1, asked)).contains(pong.id), asked > 0,
            let sample = ClockFilter.Sample(
                asked: pong.echoedTime, heard: pong.receiveTime, said: pong.sendTime, answered: now)
        else { return }
        filter.add(sample, at: now)
    }

    /// What is known of the peer's clock.
    func estimate(at now: Int64) -> ClockFilter.Estimate? { filter.estimate(at: now) }

    /// How long the way there and back is, in nanoseconds; nil where no answer says so. The first one who wants to know has it measured.
    mutating func roundTrip(at now: Int64) -> Int64? {
        if asked == 0 { due = min(due, now) }
        return filter.roundTrip(at: now)
    }
}
