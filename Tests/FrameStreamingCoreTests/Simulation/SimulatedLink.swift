/// A link and the receiver behind it, in scripted time: first in, first out, so that a frame's
/// arrival is known when it is sent.
///
/// Times are nanoseconds from the start of the simulation.
struct SimulatedLink {
    /// From a time on, this many bits a second.
    struct Step {
        var from: Int64
        var bitsPerSecond: Double
    }

    /// The rate over time, from 0.
    var rates: [Step]
    /// Both ways together, without serialisation.
    var roundTrip: Int64 = 0
    /// Round trips that replace `roundTrip` from a time on.
    var laterRoundTrips: [(from: Int64, roundTrip: Int64)] = []
    /// The bytes that a shaper lets through at once after a pause (a token bucket); 0 = it has none.
    var burst = 0
    /// How long nothing is delivered after a lost packet; then everything arrives at once.
    var stall: Int64 = 0
    /// The mean time between two losses; 0 = none.
    var stallEvery: Int64 = 0
    /// The consumer's time for a frame.
    var consumer: Int64 = 0
    /// The largest random delay, added to each arrival and each acknowledgement.
    var noise: Int64 = 0
    /// How many more round trips the first frame takes, as in TCP's slow
    /// start; each next frame takes one less.
    var warmUp: Int64 = 0
    var random: SplitMix
    /// A generator for the questions alone, so that measuring does
    /// not change what happens to frames.
    private var questions: SplitMix

    private var busyUntil: Int64 = 0
    /// What the shaper would let through at once, at the time `busyUntil`; nil = all of it.
    private var tokens: Int?
    private var lastArrival: Int64 = 0
    private var consumerFree: Int64 = 0
    private var lastHeard: Int64 = 0
    private var stallFrom: Int64 = .max
    private var stallTo: Int64 = .max

    /// The times of a frame's way.
    struct Passage {
        var arrived: Int64
        var consumed: Int64
        /// When its acknowledgement reaches the sender.
        var heard: Int64
        /// The time that the link's service took, and the time lost in stalls before its arrival.
        var service: Int64
        var stalled: Int64
    }

    init(megabits: Double, roundTrip: Double = 0, consumer: Double = 0, noise: Double = 0, seed: UInt64) {
        rates = [Step(from: 0, bitsPerSecond: megabits * 1e6)]
        self.roundTrip = Int64(roundTrip * 1e6)
        self.consumer = Int64(consumer * 1e6)
        self.noise = Int64(noise * 1e6)
        random = SplitMix(state: seed)
        questions = SplitMix(state: ~seed)
    }

    func roundTrip(at time: Int64) -> Int64 {
        var result = roundTrip
        for change in laterRoundTrips where change.from <= time { result = change.roundTrip }
        return result
    }

    var longestRoundTrip: Int64 { max(roundTrip, laterRoundTrips.map(\.roundTrip).max() ?? 0) }

    func bitsPerSecond(at time: Int64) -> Double {
        var result = rates[0].bitsPerSecond
        for step in rates where step.from <= time { result = step.bitsPerSecond }
        return result
    }

    private func served(from start: Int64, bytes: Int) -> Int64 {
        var bits = Double(bytes) * 8
        var time = start
        for (index, step) in rates.enumerated() {
            let end = index + 1 < rates.count ? rates[index + 1].from : .max
            guard end > time else { continue }
            let needed = Int64((bits / step.bitsPerSecond * 1e9).rounded(.up))
            if end == .max || needed <= end - time { return time + needed }
            bits -= Double(end - time) / 1e9 * step.bitsPerSecond
            time = end
        }
        return time
    }

    private mutating func jitter() -> Int64 {
        noise == 0 ? 0 : Int64(random.next() % UInt64(noise))
    }

    mutating func send(bytes: Int, at now: Int64) -> Passage {
        let start = max(now, busyUntil)
        let roundTrip = roundTrip(at: start)
        let saved = Double(start - busyUntil) / 8e9 * bitsPerSecond(at: start)
        let passing = min(bytes, burst, Int(min(Double(burst), Double(tokens ?? burst) + saved)))
        tokens = min(burst, Int(min(Double(burst), Double(tokens ?? burst) + saved))) - passing
        let end = served(from: start, bytes: bytes - passing) + warmUp * roundTrip
        warmUp = max(0, warmUp - 1)
        busyUntil = end
        var arrived = end + roundTrip / 2 + jitter()
        var stalled: Int64 = 0
        if stallEvery > 0 {
            if stallFrom == .max {
                stallFrom = now + Int64(random.next() % UInt64(2 * stallEvery))
                stallTo = stallFrom + stall
            }
            while stallTo < arrived {
                stallFrom = stallTo + Int64(random.next() % UInt64(2 * stallEvery))
                stallTo = stallFrom + stall
            }
            if arrived >= stallFrom {
                stalled = stallTo - arrived
                arrived = stallTo
            }
        }
        // Frames arrive in order, so a late frame delays those behind it.
        if lastArrival > arrived {
            stalled += lastArrival - arrived
            arrived = lastArrival
        }
        lastArrival = arrived
        let consumed = max(arrived, consumerFree) + consumer
        consumerFree = consumed
        lastHeard = max(lastHeard, consumed + roundTrip - roundTrip / 2 + jitter())
        return Passage(arrived: arrived, consumed: consumed, heard: lastHeard, service: end - start, stalled: stalled)
    }

    /// Sends a question behind everything on the link. Returns when it arrives and when its
    /// answer, which is sent at once, is back.
    mutating func ask(at now: Int64) -> (arrived: Int64, answered: Int64) {
        func jitter() -> Int64 { noise == 0 ? 0 : Int64(questions.next() % UInt64(noise)) }
        let start = max(now, busyUntil)
        let roundTrip = roundTrip(at: start)
        var arrived = max(served(from: start, bytes: 90) + roundTrip / 2 + jitter(), lastArrival)
        if stallFrom <= arrived, arrived < stallTo { arrived = stallTo }
        return (arrived, arrived + roundTrip - roundTrip / 2 + jitter())
    }
}
