import Testing

@testable import FrameStreamingCore

/// The quality control together with the window, on links that are too slow for the best
/// quality, and on those that are not.
@Suite struct QualitySimulationTests {
    static func stream(
        megabits: Double, roundTrip: Double = 0.2, rate: Double = 30, consumer: Double = 0,
        window: SendWindow = .adaptive,
        quality: AdaptiveQuality = AdaptiveQuality(20...80), seed: UInt64
    ) -> SimulatedStream {
        SimulatedStream(
            policy: .latest, window: window,
            link: SimulatedLink(
                megabits: megabits, roundTrip: roundTrip, consumer: consumer, noise: 1, seed: seed),
            rate: rate, spread: 0.3, encodeTime: 2_000_000, quality: quality, seed: seed)
    }

    @Test(arguments: [1, .adaptive] as [SendWindow])
    func fillsTheLinkWithoutWaiting(window: SendWindow) throws {
        for seed in SimulationSize.seeds(1, full: 6) {
            var stream = Self.stream(megabits: 10, window: window, seed: seed)
            let outcome = try stream.run(seconds: 30)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.framesPerSecond(from: 1.2, to: 30) >= 28, "seed \(seed)")
            #expect(outcome.age(0.5, from: 1.2) <= 50, "seed \(seed)")
            #expect(outcome.age(0.95, from: 1.2) <= 70, "seed \(seed)")
            // Nor does it waste throughput: 41 kB would fill the link.
            let bytes = Double(outcome.bytesDelivered) / Double(outcome.arrivals.count)
            #expect(bytes >= 29_000, "seed \(seed)")
            #expect(outcome.settings.count <= 60, "seed \(seed): changes within 30 s")
            // The settings never alternate from frame to frame.
            for (before, after) in zip(outcome.settings, outcome.settings.dropFirst())
            where after.settings.quality > before.settings.quality {
                #expect(after.time - before.time > 800_000_000)
            }
        }
    }

    @Test func theBestQualityStaysWhereTheLinkCanDoIt() throws {
        var stream = Self.stream(megabits: 100, seed: 1)
        let outcome = try stream.run(seconds: 20)
        #expect(outcome.violations.isEmpty)
        #expect(outcome.settings.count == 1)
        #expect(outcome.settings.first?.settings.quality == 80)
        #expect(outcome.framesPerSecond(from: 1, to: 20) >= 29.8)
    }

    @Test func aSlowConsumerIsNoSlowLink() throws {
        for seed in SimulationSize.seeds(1, full: 4) {
            var stream = Self.stream(megabits: 1_000, consumer: 60, seed: seed)
            let outcome = try stream.run(seconds: 20)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.settings.allSatisfy { $0.settings.quality == 80 }, "seed \(seed)")
        }
    }

    @Test func onALongWayTheWindowGoesFirst() throws {
        for seed in SimulationSize.seeds(1, full: 4) {
            var stream = Self.stream(megabits: 100, roundTrip: 40, rate: 60, seed: seed)
            let outcome = try stream.run(seconds: 20)
            #expect(outcome.violations.isEmpty)
            #expect((outcome.settings.last?.settings.quality ?? 0) >= 75, "seed \(seed)")
            #expect(outcome.settings.map(\.settings.quality).min() ?? 0 >= 60, "seed \(seed)")
            #expect(outcome.framesPerSecond(from: 5, to: 20) >= 58, "seed \(seed)")
        }
    }

    @Test func thenScaleThenRate() throws {
        let all = AdaptiveQuality(20...80, allowsScale: true, allowsRate: true)
        var stream = Self.stream(megabits: 2, quality: all, seed: 1)
        var outcome = try stream.run(seconds: 30)
        #expect(outcome.settings.last?.settings.scale == .half)
        #expect(outcome.settings.last?.settings.keepOneIn == 1)
        #expect(outcome.framesPerSecond(from: 5, to: 30) >= 28)
        stream = Self.stream(megabits: 0.2, quality: all, seed: 1)
        outcome = try stream.run(seconds: 60)
        #expect(outcome.violations.isEmpty)
        #expect(outcome.settings.last?.settings.scale == .quarter)
        #expect((outcome.settings.last?.settings.keepOneIn ?? 0) > 1)
        #expect(outcome.age(0.5, from: 30) <= 150)
    }

    @Test func onlyWhatIsAllowedGivesWay() throws {
        var stream = Self.stream(megabits: 0.5, seed: 1)
        let outcome = try stream.run(seconds: 30)
        #expect(outcome.violations.isEmpty)
        #expect(
            outcome.settings.allSatisfy { $0.settings.scale == .full && $0.settings.keepOneIn == 1 })
        #expect(outcome.settings.last?.settings.quality == 20)
    }

    @Test func comesBackAfterASlowTime() throws {
        for seed in SimulationSize.seeds(1, full: 4) {
            var stream = Self.stream(megabits: 100, seed: seed)
            stream.link.rates = [
                .init(from: 0, bitsPerSecond: 100e6), .init(from: 10_000_000_000, bitsPerSecond: 5e6),
                .init(from: 20_000_000_000, bitsPerSecond: 100e6),
            ]
            let outcome = try stream.run(seconds: 30)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.settings.contains { $0.settings.quality < 40 })
            #expect(outcome.settings.last?.settings.quality == 80, "seed \(seed)")
            #expect(outcome.framesPerSecond(from: 12, to: 20) >= 25, "seed \(seed)")
        }
    }
}
