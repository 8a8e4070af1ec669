/// What a peer's clock says when ours says something else: from questions that the peer answered with its time, the last eight of them.
///
/// A question and its answer take a round trip, and where in it the peer looked at its clock is not known: halfway is the guess,
/// and half the round trip the most by which it can be wrong, whatever queues there are on either way. Clocks drift apart
/// besides, so the answer with the least possible error *now* is the one that counts: of answers of one age, the one with the
/// shortest round trip.
package struct ClockFilter: Hashable, Sendable {
    /// One question and its answer. Times are nanoseconds.
    package struct Sample: Hashable, Sendable {
        /// When the question was written, on our clock.
        package var time: Int64
        /// From question to answer, without the peer's own time.
        package var roundTrip: Int64
        /// What to add to the peer's clock to have ours.
        package var offset: Int64

        /// - Parameters:
        ///   - asked: When the question was written, on our clock.
        ///   - heard: When the peer read it, on the peer's clock.
        ///   - said: When the peer wrote the answer, on the peer's clock.
        ///   - answered: When the answer was read, on our clock.
        /// - Returns: Nil for times that cannot be: they measure nothing.
        package init?(asked: Int64, heard: Int64, said: Int64, answered: Int64) {
            let (whole, tooLong) = answered.subtractingReportingOverflow(asked)
            let (theirs, tooLongToo) = said.subtractingReportingOverflow(heard)
            guard !tooLong, !tooLongToo, theirs >= 0, whole >= theirs else { return nil }
            time = asked
            roundTrip = whole - theirs
            // Halves first: the sum of two differences may leave the range.
            offset = (asked &- heard) / 2 &+ (answered &- said) / 2
        }

        /// By how much the offset may be wrong at `now`, either way. Two nanoseconds are the halves' rounding.
        package func error(at now: Int64) -> Int64 {
            roundTrip / 2 + 2 + max(0, now &- time) / ClockFilter.nanosecondsPerDrift
        }
    }

    /// What is known of the peer's clock at some moment, in nanoseconds.
    package struct Estimate: Hashable, Sendable {
        /// What to add to the peer's clock to have ours.
        package var offset: Int64
        /// By how much that may be wrong, either way.
        package var error: Int64

        package init(offset: Int64, error: Int64) {
            self.offset = offset
            self.error = error
        }
    }

    /// How far two clocks may drift apart: 100 microseconds a second. A survey of 20,000 hosts found a median error of 78 ppm (Mills,
    /// Computer Network Time Synchronization, on clock discipline); those that NTP keeps are far better.
    private static let nanosecondsPerDrift: Int64 = 10_000
    private static let most = 8

    /// How long an answer says how long the way is.
    private static let roundTripAge: Int64 = 30_000_000_000

    /// Oldest first.
    private var samples: [Sample] = []
    /// The middle one of the last three round trips, the smaller of two.
    private var recentRoundTrip: Int64?

    /// Nothing is known.
    package init() {}

    /// Takes an answer.
    ///
    /// Where it cannot be true together with an older one, the peer's clock has been stepped or stood still, as that of a machine
    /// that was suspended: the older ones are forgotten.
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

    /// How long a small message and its answer are under way at `now`, in nanoseconds; nil without an answer lately.
    ///
    /// The middle one of the last three, not the shortest of eight: a path that became longer shows with the second answer over it, one
    /// that was held up by a busy machine does not count, and where the way takes now longer and now less that is what frames meet, too.
    package func roundTrip(at now: Int64) -> Int64? {
        guard let last = samples.last, now &- last.time <= Self.roundTripAge else { return nil }
        return recentRoundTrip
    }

    /// The best that is known at `now`; nil before the first answer.
    package func estimate(at now: Int64) -> Estimate? {
        var best: Estimate?
        for sample in samples {
            let error = sample.error(at: now)
            if error <= best?.error ?? .max { best = Estimate(offset: sample.offset, error: error) }
        }
        return best
    }
}
