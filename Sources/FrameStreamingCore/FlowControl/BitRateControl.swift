/// Chooses how many bytes the next frame of an encoder with memory should have: as many as the bit rate
/// allows until the frame after it, less what is owed.
///
/// What frames had beyond the bit rate is owed, and paid by time and by the frames that follow. So one
/// that came out too large makes those behind it smaller, and never a queue.
struct BitRateControl: Sendable {
    /// The bytes a second that were asked for; nil = what the link delivers.
    private let fixed: Double?
    private var link = SustainedRate()
    /// The time between two pictures of the source.
    private var interval = RunningMean(weight: 32)
    private var lastOffer: Int64?
    /// The bytes that the link, or the bit rate, has not carried yet.
    private var owed = 0.0
    private var paidAt = Int64.min
    private var hasFrames = false

    /// The share of the time until the next picture that a frame should fill on a link, as with
    /// ``QualityControl``.
    private static let share = 0.85
    /// The bytes of the first frame on a link of which nothing is known: 160 ms at 2 Mbit/s.
    static let firstBytes = 40_000
    /// How many times as many bytes a frame that stands alone may have.
    private static let keyShare = 3.0
    /// The share of a frame's bytes that it has in spite of what is owed. With fewer it would be of no use.
    private static let leastShare = 0.25
    /// No encoder makes much of fewer bytes.
    private static let leastBytes = 250.0

    init(_ rate: BitRate) { fixed = rate.bitsPerSecond.map { Double($0) / 8 } }

    /// Notes that the source gave a picture, whether or not it is sent.
    mutating func offered(at now: MonotonicTime) {
        if let lastOffer {
            let time = now.nanoseconds - lastOffer
            // A long pause says nothing about the rate.
            if (1..<2_000_000_000).contains(time) { interval.add(time) }
        }
        lastOffer = now.nanoseconds
    }

    /// Notes that a picture had to wait for the window.
    mutating func limited(at now: MonotonicTime) { link.limited(at: now.nanoseconds) }

    /// The bytes a second that frames should have together; nil = as many as their quality needs,
    /// because no picture has had to wait yet.
    func bytesPerSecond(at now: MonotonicTime) -> Double? {
        fixed ?? link.bytesPerSecond(at: now.nanoseconds).map { Self.share * $0 }
    }

    /// The bytes that the next frame should have at most; nil = as many as its quality needs.
    mutating func target(standsAlone: Bool, at now: MonotonicTime) -> Int? {
        guard let rate = bytesPerSecond(at: now) else {
            // Nothing has waited for the frames so far, so nothing is owed.
            (owed, paidAt) = (0, now.nanoseconds)
            return hasFrames ? nil : Self.firstBytes
        }
        pay(rate, at: now.nanoseconds)
        // Of the first picture it is not known when the next follows.
        let time = interval.count > 0 ? Double(interval.value) / 1e9 : 1.0 / 30
        let budget = rate * time
        let bytes = max((standsAlone ? Self.keyShare : 1) * budget - owed, Self.leastShare * budget)
        return Int(min(max(bytes, Self.leastBytes), 1e9))
    }

    private mutating func pay(_ rate: Double, at now: Int64) {
        if paidAt != .min { owed = max(0, owed - rate * Double(max(0, now - paidAt)) / 1e9) }
        paidAt = now
    }

    /// Notes that a frame was encoded with this many bytes.
    mutating func encoded(bytes: Int) {
        hasFrames = true
        owed += Double(max(0, bytes))
    }

    /// Notes the acknowledgement of a frame of this size that was sent then.
    ///
    /// - Parameters:
    ///   - roundTrip: The present time of a small message and its answer, in nanoseconds; nil = not known.
    ///   - mayGrow: Whether a larger window may help. Without a round trip nothing is learnt until that is
    ///     known, because a long path is not a slow link.
    mutating func acknowledged(
        _ acknowledgement: Acknowledgement, bytes: Int, sentAt sent: MonotonicTime, roundTrip: Int64?,
        mayGrow: Bool, at now: MonotonicTime
    ) {
        if roundTrip == nil, mayGrow { return }
        link.acknowledged(
            acknowledgement, bytes: bytes, sentAt: sent.nanoseconds, roundTrip: roundTrip, at: now.nanoseconds)
    }

    /// Forgets the link, because the connection is a new one.
    mutating func reset() {
        link = SustainedRate()
        owed = 0
        paidAt = .min
        hasFrames = false
    }
}
