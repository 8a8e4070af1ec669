import FrameStreamingCore
import Testing

/// Scripted questions and answers: the true offset must always be within the estimate's error.
@Suite struct ClockFilterTests {
    static let millisecond: Int64 = 1_000_000
    static let second: Int64 = 1_000_000_000

    /// Two clocks and the path between them. Times are of our clock unless stated otherwise.
    struct Script {
        var filter = ClockFilter()
        /// What to add to the peer's clock to have ours, at time 0.
        var truth: Int64 = -7 * second
        /// By how much the peer's clock runs fast.
        var partsPerMillion: Int64 = 0

        func peer(at time: Int64) -> Int64 { time - truth + time / 1_000_000 * partsPerMillion }

        /// Asks at `time`: the question takes `there`, the answer
        /// `back`, and the peer `held` in between.
        mutating func ask(at time: Int64, there: Int64, back: Int64, held: Int64 = 5000) throws {
            let heard = time + there
            let answered = heard + held + back
            let sample = try #require(
                ClockFilter.Sample(
                    asked: time, heard: peer(at: heard), said: peer(at: heard + held), answered: answered))
            filter.add(sample, at: answered)
        }

        /// The estimate, which must be true.
        func estimate(at time: Int64) throws -> ClockFilter.Estimate {
            let estimate = try #require(filter.estimate(at: time))
            let truth = time - peer(at: time)
            #expect(abs(estimate.offset - truth) <= estimate.error, "\(estimate) at \(time), but \(truth)")
            return estimate
        }
    }

    @Test func nothingIsKnownAtFirst() { #expect(ClockFilter().estimate(at: 0) == nil) }

    @Test func ofAnswersOfOneAgeTheShortestRoundTripCounts() throws {
        var script = Script()
        for (there, back) in [(4, 4), (1, 9), (2, 2), (9, 1), (20, 20)] as [(Int64, Int64)] {
            try script.ask(at: Self.second, there: there * Self.millisecond, back: back * Self.millisecond)
        }
        let estimate = try script.estimate(at: Self.second + 40 * Self.millisecond)
        #expect(abs(estimate.offset + 7 * Self.second) <= 2)
        // Half of 4 ms, and 40 ms in which the clocks may have drifted.
        #expect((2_000_000...2_005_000).contains(estimate.error))
    }

    @Test(arguments: [(0, 40), (40, 0), (39, 1)] as [(Int64, Int64)])
    func aQueueOnOneWayIsWithinTheError(there: Int64, back: Int64) throws {
        var script = Script()
        for number in 0..<20 {
            let time = Int64(number) * Self.second
            try script.ask(at: time, there: there * Self.millisecond, back: back * Self.millisecond)
            let estimate = try script.estimate(at: time + 40 * Self.millisecond + 5000)
            #expect(estimate.error >= 20 * Self.millisecond)
        }
    }

    @Test func outliersChangeNothing() throws {
        var script = Script()
        try script.ask(at: 0, there: 100_000, back: 100_000)
        let before = try script.estimate(at: Self.second)
        for number in 1...7 {
            try script.ask(at: Int64(number) * 100 * Self.millisecond, there: 300 * Self.millisecond, back: 1000)
        }
        #expect(try script.estimate(at: Self.second) == before)
        // The eighth pushes the good one out.
        try script.ask(at: Self.second, there: 300 * Self.millisecond, back: 1000)
        #expect(try script.estimate(at: 2 * Self.second).error > 150 * Self.millisecond)
    }

    @Test(arguments: [-100, -20, 20, 100] as [Int64]) func driftStaysWithinTheError(partsPerMillion: Int64) throws {
        var script = Script(partsPerMillion: partsPerMillion)
        var generator = SystemRandomNumberGenerator()
        for number in 0..<2000 {
            let time = Int64(number) * Self.second
            // Delays are mostly short, with a full queue now and then.
            let worst = number % 10 == 0 ? 80 * Self.millisecond : Self.millisecond / 2
            try script.ask(
                at: time, there: .random(in: 1000...worst, using: &generator),
                back: .random(in: 1000...worst, using: &generator))
            _ = try script.estimate(at: time + 200 * Self.millisecond)
            let later = try script.estimate(at: time + 999 * Self.millisecond)
            if number % 10 != 0 { #expect(later.error < 700_000) }
        }
    }

    @Test func anOldAnswerLosesToANewOneThatIsNearlyAsGood() throws {
        var script = Script(partsPerMillion: 100)
        try script.ask(at: 0, there: 50_000, back: 50_000)
        try script.ask(at: 10 * Self.second, there: 100_000, back: 100_000)
        // The first measurement may be wrong by 1 ms by now.
        #expect(try script.estimate(at: 10 * Self.second + 300_000).error < 150_000)
    }

    /// A machine that is suspended stops its monotonic clock: what was
    /// measured before is wrong from then on.
    @Test(arguments: [-3, 3] as [Int64]) func aClockThatStepsIsFollowedAtOnce(seconds: Int64) throws {
        var script = Script()
        for number in 0..<8 { try script.ask(at: Int64(number) * Self.second, there: 100_000, back: 100_000) }
        script.truth += seconds * Self.second
        try script.ask(at: 8 * Self.second, there: 5 * Self.millisecond, back: 5 * Self.millisecond)
        let estimate = try script.estimate(at: 8 * Self.second + 11 * Self.millisecond)
        #expect(abs(estimate.offset - script.truth) < Self.millisecond)
        // A step within the error is not noticed, and does not matter.
        script.truth += Self.millisecond
        try script.ask(at: 9 * Self.second, there: 100_000, back: 100_000)
        _ = try script.estimate(at: 9 * Self.second + 300_000)
    }

    /// The round trip is the median of the last three: neither one delayed
    /// answer nor a former path counts.
    @Test func theRoundTripIsThatOfTheLastAnswers() throws {
        var script = Script()
        #expect(script.filter.roundTrip(at: 0) == nil)
        func ask(_ second: Int64, roundTrip: Int64) throws -> Int64? {
            try script.ask(at: second * Self.second, there: roundTrip / 2, back: roundTrip / 2)
            return script.filter.roundTrip(at: second * Self.second + roundTrip + 5000)
        }
        #expect(try ask(0, roundTrip: 400) == 400)
        #expect(try ask(1, roundTrip: 600) == 400)
        #expect(try ask(2, roundTrip: 90_000_000) == 600)
        #expect(try ask(3, roundTrip: 500) == 600)
        // A longer path counts from its second answer on, and so does a shorter one.
        #expect(try ask(4, roundTrip: 550) == 550)
        #expect(try ask(5, roundTrip: 40_000_000) == 550)
        #expect(try ask(6, roundTrip: 40_000_000) == 40_000_000)
        #expect(try ask(7, roundTrip: 200) == 40_000_000)
        #expect(try ask(8, roundTrip: 300) == 300)
        #expect(script.filter.roundTrip(at: 38 * Self.second) == 300)
        #expect(script.filter.roundTrip(at: 39 * Self.second) == nil)
    }

    @Test func impossibleTimesMeasureNothing() {
        #expect(ClockFilter.Sample(asked: 10, heard: 100, said: 101, answered: 9) == nil)
        #expect(ClockFilter.Sample(asked: 10, heard: 100, said: 99, answered: 20) == nil)
        #expect(ClockFilter.Sample(asked: 10, heard: 100, said: 111, answered: 20) == nil)
        #expect(ClockFilter.Sample(asked: .min, heard: 0, said: 0, answered: .max) == nil)
        #expect(ClockFilter.Sample(asked: 0, heard: .min, said: .max, answered: .max) == nil)
    }

    /// Whatever a peer says, nothing overflows.
    @Test func absurdTimesOverflowNothing() {
        var filter = ClockFilter()
        let edges: [Int64] = [.min, .min / 2, -1, 0, 1, .max / 2, .max]
        for asked in edges {
            for heard in edges {
                for answered in edges {
                    guard
                        let sample = ClockFilter.Sample(asked: asked, heard: heard, said: heard, answered: answered)
                    else { continue }
                    filter.add(sample, at: answered)
                    for now in edges { #expect(filter.estimate(at: now).map { $0.error >= 0 } ?? true) }
                }
            }
        }
    }
}
