/// Estimates the bytes a second that a link carries for long, from frames that made pictures wait.
///
/// A shaped link lets a burst through at once: a frame behind a pause is then no measure, however
/// large it is. Frames that follow each other without a pause are: what lies between their arrivals is
/// the time of the second. So a rate rises only with time, slowly at first and then faster, until
/// pictures wait again.
struct SustainedRate: Sendable {
    private struct Sample {
        var bytesPerSecond: Double
        /// Whether the link was busy before it, so that no burst is in it.
        var isExact: Bool
    }

    /// The last frame that was acknowledged.
    private struct Previous {
        var arrival: Int64
        var heard: Int64
    }

    private var samples: [Sample] = []
    private var lastSample = Int64.min
    /// When a picture had to wait last.
    private var lastLimited = Int64.min
    private var previous: Previous?

    /// How many samples count.
    private static let most = 5

    /// Notes that a picture had to wait for a frame in flight.
    mutating func limited(at now: Int64) { lastLimited = now }

    /// The present rate; nil as long as no picture had to wait. It follows a fall with the second late
    /// frame in a row, because one may be a hiccup.
    func bytesPerSecond(at now: Int64) -> Double? {
        guard !samples.isEmpty else { return nil }
        let rates = samples.map(\.bytesPerSecond)
        let usual = rates.sorted()[rates.count / 2]
        let lately = rates.suffix(2).max() ?? usual
        return min(usual, rates.count > 1 ? lately : usual) * growth(at: now)
    }

    /// By how much the link may have become faster since it last made a picture wait: 1.1 after a second,
    /// 2 after five, 7 after ten.
    private func growth(at now: Int64) -> Double {
        let seconds = Double(max(0, now &- lastSample)) / 1e9
        return 1 + seconds * (0.05 + seconds * (0.01 + seconds * 0.005))
    }

    /// - Parameter roundTrip: The time of a small message and its answer.
    mutating func acknowledged(
        _ acknowledgement: Acknowledgement, bytes: Int, sentAt sent: Int64, roundTrip: Int64?, at now: Int64
    ) {
        let whole = max(1, now - sent - acknowledgement.receiverTime)
        let roundTrip = min(max(0, roundTrip ?? 0), whole / 10 * 7)
        // The peer reports these times: a difference may wrap, and must not make the link infinitely fast.
        let arrival = acknowledgement.arrivalTime?.nanoseconds ?? now
        defer { previous = Previous(arrival: arrival, heard: now) }
        guard bytes > 0, lastLimited >= sent else { return }
        var service = whole - roundTrip
        var isExact = false
        if let previous {
            let elapsed = min(whole &+ (sent &- previous.heard) &+ roundTrip, max(arrival &- previous.arrival, 1))
            // From the end of the frame before to the beginning of this one nothing was under way.
            let pause = max(0, roundTrip &+ (sent &- previous.heard))
            if pause < elapsed / 2 {
                service = max(elapsed &- pause, whole / 8)
                isExact = true
            }
        }
        note(Double(bytes) * 1e9 / Double(max(1, service)), isExact: isExact, at: now)
    }

    /// A frame behind a pause may be faster than the link by a burst, so it raises nothing.
    private mutating func note(_ rate: Double, isExact: Bool, at now: Int64) {
        var rate = rate
        if !isExact, let known = bytesPerSecond(at: now) { rate = min(rate, known) }
        if isExact, samples.contains(where: { !$0.isExact }) { samples.removeAll { !$0.isExact } }
        samples.append(Sample(bytesPerSecond: rate, isExact: isExact))
        if samples.count > Self.most { samples.removeFirst() }
        lastSample = now
    }
}
