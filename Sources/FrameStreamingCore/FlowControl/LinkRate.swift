/// Estimates the link's rate in bytes a second. It measures the time of frames that made pictures
/// wait, without the receiver's own time.
///
/// A frame that made no picture wait only shows that the link is at least as fast. So the estimate
/// grows with time, slowly at first, until pictures wait again.
struct LinkRate: Sendable {
    /// The rates of the last frames that made pictures wait, in bytes a second.
    private var samples: [Double] = []
    private var lastSample = Int64.min
    /// When a picture had to wait last.
    private var lastLimited = Int64.min
    private var previousArrival: Int64?
    private var previousHeard = Int64.min
    /// How the link's time depends on the size: the round trip does not shrink with the picture.
    private var sizes = (mean: 0.0, variance: 0.0)
    private var times = (mean: 0.0, covariance: 0.0)
    private var pairs = 0

    /// Notes that a picture had to wait for a frame in flight.
    mutating func limited(at now: Int64) { lastLimited = now }

    /// The present rate; nil as long as no picture had to wait.
    func bytesPerSecond(at now: Int64) -> Double? {
        guard !samples.isEmpty else { return nil }
        let seconds = Double(max(0, now - lastSample)) / 1e9
        return samples.sorted()[samples.count / 2] * (1 + 0.05 * seconds * (1 + seconds / 5))
    }

    mutating func acknowledged(_ acknowledgement: Acknowledgement, bytes: Int, sentAt sent: Int64, at now: Int64) {
        let whole = max(1, now - sent - acknowledgement.receiverTime)
        // The peer reports these times: a difference may wrap, and must
        // not make the link infinitely fast.
        let arrival = acknowledgement.arrivalTime?.nanoseconds ?? now
        var time = whole
        // The frame queued behind another one, so it took from that one's arrival to its own.
        // After a stall several arrive at once.
        if let previousArrival, sent < previousHeard {
            time = min(whole, max(arrival &- previousArrival, whole / 8, 1))
        }
        previousArrival = arrival
        previousHeard = now
        guard bytes > 0 else { return }
        if lastLimited >= sent {
            learn(Double(bytes), Double(time))
            samples.append(Double(bytes) * 1e9 / service(Double(bytes), Double(time)))
            if samples.count > 5 { samples.removeFirst() }
            lastSample = now
        } else if let rate = bytesPerSecond(at: now), Double(bytes) * 1e9 / Double(whole) > rate {
            samples = [Double(bytes) * 1e9 / Double(whole)]
            lastSample = now
        }
    }

    private mutating func learn(_ bytes: Double, _ time: Double) {
        pairs += 1
        let weight = 1 / Double(min(pairs, 16))
        let difference = bytes - sizes.mean
        sizes.mean += weight * difference
        let lateness = time - times.mean
        times.mean += weight * lateness
        sizes.variance = (1 - weight) * (sizes.variance + weight * difference * difference)
        times.covariance = (1 - weight) * (times.covariance + weight * difference * lateness)
    }

    /// The part of a frame's time that depends on its size: all of it, unless
    /// frames of other sizes took as long.
    private func service(_ bytes: Double, _ time: Double) -> Double {
        guard pairs >= 8, sizes.variance > 0.01 * sizes.mean * sizes.mean else { return time }
        return min(time, max(bytes * times.covariance / sizes.variance, 0.3 * time))
    }
}

extension Acknowledgement {
    /// From the frame's arrival until it was consumed, in nanoseconds; 0 if
    /// unknown. The peer reports both times.
    var receiverTime: Int64 {
        guard let arrivalTime, let consumedTime else { return 0 }
        return max(0, consumedTime.nanoseconds &- arrivalTime.nanoseconds)
    }
}
