/// Estimates the offset of a peer's clock from the last eight questions that
/// the peer answered with its time.
///
/// When the peer read its clock within the round trip is unknown. Halfway is the guess, and half
/// the round trip is its largest error, whatever queues there are in either direction. Clocks also
/// drift apart, so the answer with the least possible error *now* counts: of answers of equal age,
/// the one with the shortest round trip.
package struct ClockFilter: Hashable, Sendable {
    /// One question and its answer. Times are nanoseconds.
    package struct Sample: Hashable, Sendable {
        /// When the question was written, on our clock.
        package var time: Int64
        /// From question to answer, without the peer's own time.
        package var roundTrip: Int64
        /// What to add to the peer's clock to get ours.
        package var offset: Int64

        /// - Parameters:
        ///   - asked: When the question was written, on our clock.
        ///   - heard: When the peer read it, on the peer's clock.
        ///   - said: When the peer wrote the answer, on the peer's clock.
        ///   - answered: When the answer was read, on our clock.
        /// - Returns: Nil for impossible times, which measure nothing.
        package init?(asked: Int64, heard: Int64, said: Int64, answered: Int64) {
            let (whole, tooLong) = answered.subtractingReportingOverflow(asked)
            let (theirs, tooLongToo) = said.subtractingReportingOverflow(heard)
            guard !tooLong, !tooLongToo, theirs >= 0, whole >= theirs else { return nil }
            time = asked
            roundTrip = whole - theirs
            // Halves first: the sum of two differences may leave the range.
            offset = (asked &- heard) / 2 &+ (answered &- said) / 2
        }

        /// The error of the offset at `now`, in either direction. Two
        /// nanoseconds are for the rounding of halves.
        package func error(at now: Int64) -> Int64 {
            roundTrip / 2 + 2 + max(0, now &- time) / ClockFilter.nanosecondsPerDrift
        }
    }

    /// The estimate of the peer's clock at some moment, in nanoseconds.
    package struct Estimate: Hashable, Sendable {
        /// What to add to the peer's clock to get ours.
        package var offset: Int64
        /// The error of the offset, in either direction.
        package var error: Int64

        package init(offset: Int64, error: Int64) {
            self.offset = offset
            self.error = error
        }
    }

    /// The largest drift of two clocks: 100 microseconds a second. A survey of 20,000 hosts found a
    /// median error of 78 ppm (Mills, Computer Network Time Synchronization, on clock discipline);
    /// clocks under NTP are far better.
    private static let nanosecondsPerDrift: Int64 = 10_000
    private static let most = 8

    /// How long an answer's round trip counts.
    private static let roundTripAge: Int64 = 30_000_000_000

    /// Oldest first.
    private var samples: [Sample] = []
    /// The median of the last three round trips, or the smaller of two.
    private var recentRoundTrip: Int64?

    /// Makes a filter without answers.
    package init() {}

    /// Adds an answer.
    ///
    /// If it contradicts an older one, the peer's clock was stepped, or stood still because the
    /// machine was suspended: then the older ones are forgotten.
    package mutating func add(_ sample: Sample, at now: Int64) {
        let error = sample.error(at: now)
        samples.removeAll { older in
            (older.offset &- sample.offset).magnitude > UInt64(error) + UInt64(older.error(at: now))
        }
        if samples.count == Self.most { samples.removeFirst() }
        samples.append(sample)
        let recent = samples.suffix(3).map(\.roundTrip).sorted()
        recentRoundTrip = recent[(recent.count - 1) / 2]
    }

    /// The round trip of a small message at `now`, in nanoseconds; nil without a recent answer.
    ///
    /// It is the median of the last three and not the shortest of eight: a longer path shows with
    /// the second answer over it, and one answer that a busy machine delayed does not count.
    package func roundTrip(at now: Int64) -> Int64? {
        guard let last = samples.last, now &- last.time <= Self.roundTripAge else { return nil }
        return recentRoundTrip
    }

    /// The best estimate at `now`; nil before the first answer.
    package func estimate(at now: Int64) -> Estimate? {
        var best: Estimate?
        for sample in samples {
            let error = sample.error(at: now)
            if error <= best?.error ?? .max { best = Estimate(offset: sample.offset, error: error) }
        }
        return best
    }
}
