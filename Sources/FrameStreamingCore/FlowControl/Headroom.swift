/// What a larger window could win at most, where the round trip was measured: the share of the time in which the bottleneck idles.
///
/// A frame that is sent alone takes the link's time for it, the way there and back, and the receiver's own time. Of these only the
/// larger one of link and receiver sets the rate; what is left of the time between frames is what frames under way at once can
/// hide. Where that is next to nothing, no trial of a larger window can succeed, and each would make a frame older for it.
struct Headroom: Sendable {
    /// Of a thousand parts of the time, those in which the bottleneck was idle, lately. A rate that falls leaves none at once.
    private var idle = RunningMean(weight: 8, fallsFast: true)
    /// With so many frames under way.
    private var window = 1
    /// The receiver's own time for frames that were sent alone.
    private var receiver = RunningMean(weight: 8)
    /// When it was found small, or tried all the same.
    private var smallSince: Int64?

    /// A measured time may be another than what frames meet: it is put to the test, but not often.
    private static let longest: Int64 = 60_000_000_000
    private static let framesPerTrial: Int64 = 40

    /// A frame went alone: with `cycle` from the acknowledgement that let it go to its own, of which the last `ofOne` were its way.
    mutating func add(ofOne time: Int64, roundTrip: Int64, receiver own: Int64, cycle: Int64) {
        // Both are the peer's word.
        let own = min(own, time)
        receiver.add(own)
        add(bottleneck: max(time - min(roundTrip, time) - own, own), cycle: cycle, window: 1)
    }

    /// A frame went behind others: by what one alone takes.
    mutating func add(ofOne time: Int64, roundTrip: Int64, cycle: Int64, window: Int) {
        guard receiver.count > 0 else { return }
        let bottleneck = max(time - min(roundTrip, time) - receiver.value, receiver.value)
        // More went through than that allows: the link has become faster, and by how much is not known.
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

    /// Whether no larger window than this can win what would make up for its age: an eighth, or what ``AdaptiveWindow`` would take
    /// back again. False where nothing is known.
    func isSmall(for window: Int) -> Bool {
        window == self.window && idle.count > 0 && idle.value <= min(125, 400 / Int64(window + 1))
    }

    /// What the bottleneck takes for one frame where so many take `cycle`; nil where nothing is known.
    func bottleneck(for window: Int, cycle: Int64) -> Int64? {
        guard window == self.window, idle.count > 0 else { return nil }
        return cycle / 1_000 * (1_000 - idle.value) / Int64(window)
    }

    /// Whether a trial may begin. Where it is pointless, once a minute and once in forty frames at most.
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
