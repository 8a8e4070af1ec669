/// The most that a larger window could gain, from a measured round trip: the share of the
/// time in which the bottleneck idles.
///
/// A frame that is sent alone takes the link's time, the round trip, and the receiver's own time.
/// The slower of link and receiver sets the rate. More frames in flight can hide the rest of the
/// time between frames. If that is almost nothing, no trial of a larger window can succeed, and
/// each would make a frame older.
struct Headroom: Sendable {
    /// The share of the recent time, in thousandths, in which the bottleneck was idle. After a
    /// fall of the rate it is 0 at once.
    private var idle = RunningMean(weight: 8, fallsFast: true)
    /// The window to which `idle` belongs.
    private var window = 1
    /// The receiver's own time for frames that were sent alone.
    private var receiver = RunningMean(weight: 8)
    /// When it was found small, or when a trial was made nevertheless.
    private var smallSince: Int64?

    /// Frames may meet other conditions than the measurements, so a trial is
    /// made after this time nevertheless.
    private static let longest: Int64 = 60_000_000_000
    private static let framesPerTrial: Int64 = 40

    /// Adds a frame that was sent alone: `cycle` is the time from the acknowledgement that
    /// permitted it to its own, and `ofOne` the time since it was sent.
    mutating func add(ofOne time: Int64, roundTrip: Int64, receiver own: Int64, cycle: Int64) {
        // The peer reports both, and may report anything.
        let own = min(own, time)
        receiver.add(own)
        add(bottleneck: max(time - min(roundTrip, time) - own, own), cycle: cycle, window: 1)
    }

    /// Adds a frame that was sent behind others, with the time of a lone frame.
    mutating func add(ofOne time: Int64, roundTrip: Int64, cycle: Int64, window: Int) {
        guard receiver.count > 0 else { return }
        let bottleneck = max(time - min(roundTrip, time) - receiver.value, receiver.value)
        // More frames arrived than that allows: the link has become faster by an unknown factor.
        if Double(cycle) < 0.9 * Double(bottleneck) * Double(window) {
            idle.removeAll()
            return
        }
        add(bottleneck: bottleneck, cycle: cycle, window: window)
    }

    private mutating func add(bottleneck: Int64, cycle: Int64, window: Int) {
        if window != self.window {
            idle.removeAll()
            self.window = window
        }
        let busy = Double(bottleneck) * Double(window) / Double(max(1, cycle))
        idle.add(Int64(1_000 * (1 - min(1, max(0, busy)))))
    }

    /// Whether no larger window can gain enough to be worth the age: an eighth, or less than
    /// ``AdaptiveWindow`` would keep. False if nothing is known.
    func isSmall(for window: Int) -> Bool {
        window == self.window && idle.count > 0 && idle.value <= min(125, 400 / Int64(window + 1))
    }

    /// The bottleneck's time for one frame, if `window` frames take `cycle`; nil if unknown.
    func bottleneck(for window: Int, cycle: Int64) -> Int64? {
        guard window == self.window, idle.count > 0 else { return nil }
        return cycle / 1_000 * (1_000 - idle.value) / Int64(window)
    }

    /// Whether a trial may begin. A pointless one may begin at most once a
    /// minute and once in forty frames.
    mutating func allowsTrial(from window: Int, ackTime: Int64, at now: Int64) -> Bool {
        guard isSmall(for: window) else {
            smallSince = nil
            return true
        }
        guard let since = smallSince else {
            smallSince = now
            return false
        }
        guard now - since >= max(Self.longest, Self.framesPerTrial * ackTime) else { return false }
        smallSince = now
        return true
    }
}
