@testable import FrameStreamingCore
import Testing

/// Where the adaptive window settles on several links, and the resulting frame rate and age.
@Suite struct AdaptiveSimulationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var megabits: Double
        var roundTrip: Double
        var rate: Double
        var consumer = 0.0
        var spread = 0.02
        /// Where the window spends at least 0.8 of its time after 4 s.
        var window: ClosedRange<Int>
        var framesPerSecond: Double
        var p50: Double
        var p95: Double
    }

    static let cases = [
        Case(
            testDescription: "10 Mbit", megabits: 10, roundTrip: 0.2, rate: 30, window: 1...1, framesPerSecond: 11.9,
            p50: 105, p95: 125),
        Case(
            testDescription: "10 Mbit, sizes differ", megabits: 10, roundTrip: 0.2, rate: 30, spread: 0.3,
            window: 1...1,
            framesPerSecond: 11, p50: 110, p95: 142),
        Case(
            testDescription: "100 Mbit, 40 ms", megabits: 100, roundTrip: 40, rate: 60, spread: 0.3, window: 3...5,
            framesPerSecond: 58, p50: 33, p95: 40),
        Case(
            testDescription: "100 Mbit, 10 ms", megabits: 100, roundTrip: 10, rate: 60, spread: 0.3, window: 2...3,
            framesPerSecond: 58, p50: 18, p95: 22),
        Case(
            testDescription: "20 Mbit, 40 ms", megabits: 20, roundTrip: 40, rate: 60, window: 2...2,
            framesPerSecond: 22.5, p50: 80, p95: 95),
        Case(
            testDescription: "consumer 60 ms", megabits: 1_000, roundTrip: 0.2, rate: 30, consumer: 60, window: 1...1,
            framesPerSecond: 15.5, p50: 24, p95: 50),
        Case(
            testDescription: "loopback", megabits: 10_000, roundTrip: 0.05, rate: 30, spread: 0.3, window: 1...1,
            framesPerSecond: 29.9, p50: 4, p95: 5),
    ]

    @Test(arguments: cases, [true, false])
    func settlesWhereItShould(_ link: Case, roundTripIsMeasured: Bool) throws {
        for seed in SimulationSize.seeds(1, full: 5) {
            var stream = SimulatedStream(
                policy: .latest, window: .adaptive,
                link: SimulatedLink(
                    megabits: link.megabits, roundTrip: link.roundTrip, consumer: link.consumer, noise: 1, seed: seed),
                rate: link.rate, spread: link.spread, encodeTime: 2_000_000, seed: seed)
            stream.link.warmUp = seed % 2 == 0 ? 3 : 0
            stream.measuresRoundTrip = roundTripIsMeasured
            let outcome = try stream.run(seconds: 10)
            #expect(outcome.violations.isEmpty)
            let shares = outcome.windowShares(from: 4, to: 10)
            let right = shares.filter { link.window.contains($0.key) }.values.reduce(0, +)
            #expect(right >= 0.8, "seed \(seed): \(shares)")
            #expect(outcome.framesPerSecond(from: 1, to: 10) >= link.framesPerSecond, "seed \(seed)")
            #expect(outcome.age(0.5) <= link.p50, "seed \(seed)")
            #expect(outcome.age(0.95) <= link.p95, "seed \(seed)")
        }
    }

    /// 100 -> 5 -> 100 Mbit: frames in flight at the step are late; frames sent after the
    /// first late acknowledgement are not.
    @Test(arguments: [0.2, 40] as [Double])
    func isFreshAgainWithinAWindowOfFramesAfterTheRateFell(roundTrip: Double) throws {
        for seed in SimulationSize.seeds(2, full: 10) {
            var link = SimulatedLink(megabits: 100, roundTrip: roundTrip, noise: 1, seed: seed)
            link.rates = [
                .init(from: 0, bitsPerSecond: 100e6), .init(from: 10_000_000_000, bitsPerSecond: 5e6),
                .init(from: 20_000_000_000, bitsPerSecond: 100e6),
            ]
            var stream = SimulatedStream(
                policy: .latest, window: .adaptive, link: link, rate: 60, encodeTime: 2_000_000, seed: seed)
            let outcome = try stream.run(seconds: 30)
            #expect(outcome.violations.isEmpty)
            // A frame takes 160 ms now. Its age is that, plus the path and
            // the wait for the newest picture.
            let under = (outcome.windows.last { $0.time < 10_000_000_000 }?.frames ?? 1) + 1
            let after = outcome.arrivals.filter { $0.time > 10_000_000_000 && $0.time < 20_000_000_000 }.dropFirst(
                2 * under)
            let bound = Int64((160 + roundTrip / 2 + 17 + 8) * 1e6)
            let late = after.count { $0.age > bound }
            // The late ones are trials, three in ten seconds, and frames sent next to them.
            #expect(late <= 6, "seed \(seed): \(late) of \(after.count) late")
            #expect(after.count >= 35)
            // After the step back all is as before.
            #expect(outcome.framesPerSecond(from: 23, to: 30) >= 58, "seed \(seed)")
            #expect(outcome.age(0.5, from: 23) <= roundTrip / 2 + 16)
        }
    }

    @Test func aHiccupDoesNotMakeALongLinkSlow() throws {
        for seed in SimulationSize.seeds(1, full: 5) {
            var link = SimulatedLink(megabits: 100, roundTrip: 40, noise: 1, seed: seed)
            link.stall = 220_000_000
            link.stallEvery = 3_000_000_000
            var stream = SimulatedStream(
                policy: .latest, window: .adaptive, link: link, rate: 60, spread: 0.3, encodeTime: 2_000_000, seed: seed
            )
            let outcome = try stream.run(seconds: 60)
            #expect(outcome.violations.isEmpty)
            // Stalls take 7 % of the 60 pictures a second.
            #expect(outcome.framesPerSecond(from: 5, to: 60) >= 50)
            #expect(outcome.age(0.5) <= 35)
        }
    }

    @Test func followsAPathThatBecomesLonger() throws {
        // The other way round: the consumer becomes slow and fast again.
        var stream = SimulatedStream(
            policy: .latest, window: .adaptive, link: SimulatedLink(megabits: 1_000, roundTrip: 300, noise: 1, seed: 1),
            rate: 60, creditAhead: 64)
        let outcome = try stream.run(seconds: 40)
        #expect(outcome.violations.isEmpty)
        #expect(outcome.framesPerSecond(from: 15, to: 40) >= 58)
        #expect(outcome.age(0.5, from: 15) <= 160)
    }

    /// Frames exceed the target age if the window is wrong. With a target of 0 the
    /// window never grows into a queue.
    @Test func aSmallerTargetIsKept() throws {
        var stream = SimulatedStream(
            policy: .latest, window: .adaptive(latencyTarget: .milliseconds(1)),
            link: SimulatedLink(megabits: 20, roundTrip: 10, seed: 1), rate: 60)
        let outcome = try stream.run(seconds: 20)
        #expect(outcome.violations.isEmpty)
        #expect(outcome.age(0.5) <= 65)
    }
}
