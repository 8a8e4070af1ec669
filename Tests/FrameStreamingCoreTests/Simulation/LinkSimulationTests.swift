@testable import FrameStreamingCore
import Testing

/// Many links, each with the same checks for every frame: ``SimulatedStream`` checks order,
/// numbers, limits, skipped counts and age.
@Suite struct LinkSimulationTests {
    static let policies: [DeliveryPolicy] = [
        .latest, .reliable, .deadline(age: .nanoseconds(SimulatedStream.deadline)),
    ]
    /// The seeds for each policy and window. The full run has a million frames in total.
    static let seeds = SimulationSize.seeds(3, full: 110)
    static let windows: [SendWindow] = [1, 2, 4, .adaptive]

    /// A link, a source and a receiver with parameters drawn from the seed.
    static func stream(_ policy: DeliveryPolicy, _ window: SendWindow, seed: UInt64) -> SimulatedStream {
        var random = SplitMix(state: seed)
        func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
        var link = SimulatedLink(
            megabits: pick([0.1, 0.5, 2, 10, 25, 100, 300, 1_000]), roundTrip: pick([0, 0.2, 2, 10, 40, 150, 500]),
            consumer: pick([0, 0, 0.5, 5, 60]), noise: pick([0, 0.5, 3]), seed: seed)
        if pick([true, false]) {
            link.stall = pick([200_000_000, 450_000_000])
            link.stallEvery = pick([700_000_000, 5_000_000_000])
        }
        if pick([true, false]) {
            let first = link.rates[0].bitsPerSecond
            link.rates.append(.init(from: 4_000_000_000, bitsPerSecond: max(1e5, first / pick([2, 5, 20]))))
            link.rates.append(.init(from: 9_000_000_000, bitsPerSecond: first))
        }
        var stream = SimulatedStream(policy: policy, window: window, link: link, rate: pick([5, 25, 30, 60, 120]))
        stream.bytes = pick([2_000, 20_000, 100_000, 400_000])
        stream.spread = pick([0, 0.3])
        stream.jitter = pick([0, 0.1, 0.9])
        stream.encodeTime = pick([0, 500_000, 4_000_000, 20_000_000])
        stream.link.warmUp = pick([0, 0, 3])
        stream.encoders = pick([1, 1, 2, 4])
        stream.failing = pick([0, 0, 20])
        if pick([true, false, false]) {
            stream.quality = AdaptiveQuality(20...80, allowsScale: pick([true, false]), allowsRate: true)
        }
        stream.creditAhead = pick([1, 3, 16, 64])
        stream.seed = seed
        stream.measuresRoundTrip = pick([true, false])
        return stream
    }

    @Test(arguments: policies, windows)
    func holdsItsBoundsForEveryFrame(policy: DeliveryPolicy, window: SendWindow) throws {
        var (pictures, offered) = (0, 0.0)
        for seed in Self.seeds {
            var stream = Self.stream(policy, window, seed: seed &* 1_000 &+ 7)
            let outcome = try stream.run(seconds: 20)
            #expect(outcome.violations.isEmpty, "seed \(seed), \(stream.link.rates[0]), \(stream.link.roundTrip)")
            #expect(outcome.consumed > 0)
            #expect(policy != .reliable || outcome.counts.dropped.replaced == 0)
            pictures += outcome.counts.produced
            offered += stream.rate * 20
        }
        // Under reliable the source waits for the link.
        #expect(Double(pictures) > offered * (policy == .reliable ? 0.2 : 0.6))
    }

    @Test(arguments: windows)
    func aConnectionThatEndsAnywhereAccountsForEveryPicture(window: SendWindow) throws {
        var lost = 0
        for seed in 1...UInt64(60) {
            var stream = Self.stream(Self.policies[Int(seed % 3)], window, seed: seed &* 31)
            let outcome = try stream.run(seconds: 0.3 + Double(seed) / 25, cutOff: true)
            #expect(outcome.violations.isEmpty, "seed \(seed)")
            lost += outcome.counts.lost
        }
        #expect(lost > 0)
    }

    @Test(arguments: [0.1, 1, 10, 100] as [Double])
    func withOneFrameInFlightTheLinkIsStillBusy(megabits: Double) throws {
        let seconds = 2_000 / megabits
        var stream = SimulatedStream(
            policy: .latest, window: 1, link: SimulatedLink(megabits: megabits, roundTrip: 0.2, noise: 0.1, seed: 3),
            rate: megabits * 3)
        // Encoding takes two thirds of the sending time, so it must begin before there is room.
        stream.encodeTime = Int64(0.05e9 / megabits)
        let outcome = try stream.run(seconds: seconds)
        #expect(outcome.violations.isEmpty)
        let used = Double(outcome.bytesDelivered) * 8 / (seconds * megabits * 1e6)
        #expect(used >= 0.95)
    }
}
