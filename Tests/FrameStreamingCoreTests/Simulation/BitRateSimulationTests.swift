import Testing

@testable import FrameStreamingCore

/// An encoder with memory whose bit rate follows the link, on links that are too slow for the quality,
/// that change, and that suffice.
@Suite struct BitRateSimulationTests {
    /// - Parameter bytes: The size of a frame of the best quality.
    private static func stream(
        megabits: Double, roundTrip: Double = 0.2, consumer: Double = 0, bytes: Int = 60_000,
        rate: BitRate = .automatic, window: SendWindow = .adaptive, seed: UInt64
    ) -> SimulatedStream {
        var stream = SimulatedStream(
            policy: .latest, window: window,
            link: SimulatedLink(megabits: megabits, roundTrip: roundTrip, consumer: consumer, noise: 1, seed: seed),
            rate: 30, spread: 0.2, encodeTime: 4_000_000, bitRate: rate, seed: seed)
        stream.bytes = bytes
        stream.measuresRoundTrip = true
        return stream
    }

    private static func bytesPerSecond(_ outcome: SimulatedStream.Outcome, seconds: Double) -> Double {
        Double(outcome.bytesDelivered) / seconds
    }

    @Test(arguments: [1, 2, 5, 20]) func fillsTheLinkWithoutWaiting(megabits: Double) throws {
        for seed in SimulationSize.seeds(2, full: 12) {
            var stream = Self.stream(megabits: megabits, bytes: 150_000, seed: seed)
            let outcome = try stream.run(seconds: 30)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.framesPerSecond(from: 2, to: 30) >= 29, "seed \(seed)")
            #expect(outcome.age(0.95, from: 2) <= 70, "seed \(seed)")
            // Nor does it waste throughput.
            let used = Self.bytesPerSecond(outcome, seconds: 30) / (megabits * 125_000)
            #expect((0.65...1).contains(used), "seed \(seed): \(used)")
        }
    }

    /// A shaper lets 3, 16 or 60 kB through at once, which are half a frame's time and eight frames'.
    @Test(arguments: [3_000, 16_000, 60_000]) func aBurstIsNoRate(bytes: Int) throws {
        for seed in SimulationSize.seeds(2, full: 12) {
            var stream = Self.stream(megabits: 2, seed: seed)
            stream.link.burst = bytes
            let outcome = try stream.run(seconds: 40)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.framesPerSecond(from: 3, to: 40) >= 28.5, "seed \(seed)")
            #expect(outcome.age(0.95, from: 3) <= 90, "seed \(seed)")
            let used = Self.bytesPerSecond(outcome, seconds: 40) / 250_000
            #expect((0.6...1.01).contains(used), "seed \(seed): \(used)")
        }
    }

    @Test func onALongWayTheWindowGoesFirst() throws {
        for seed in SimulationSize.seeds(2, full: 12) {
            var stream = Self.stream(megabits: 5, roundTrip: 40, seed: seed)
            let outcome = try stream.run(seconds: 30)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.framesPerSecond(from: 3, to: 30) >= 29, "seed \(seed)")
            #expect(outcome.age(0.95, from: 3) <= 100, "seed \(seed)")
        }
    }

    @Test func aLinkThatSufficesLimitsNothing() throws {
        var stream = Self.stream(megabits: 10, bytes: 11_000, seed: 3)
        let outcome = try stream.run(seconds: 20)
        #expect(outcome.violations.isEmpty)
        #expect(outcome.framesPerSecond(from: 1, to: 20) >= 29.8)
        #expect(Self.bytesPerSecond(outcome, seconds: 20) >= 0.98 * 30 * 11_000)
    }

    @Test func aSlowConsumerIsNoSlowLink() throws {
        for seed in SimulationSize.seeds(1, full: 4) {
            var stream = Self.stream(megabits: 1_000, consumer: 60, seed: seed)
            let outcome = try stream.run(seconds: 20)
            #expect(outcome.violations.isEmpty)
            #expect(Double(outcome.bytesDelivered) / Double(outcome.arrivals.count) >= 58_000, "seed \(seed)")
        }
    }

    /// 10, 1 and 10 Mbit/s. A frame of 1 Mbit/s that fills its time takes 28 ms.
    @Test func ageStaysBoundedThroughSteps() throws {
        for seed in SimulationSize.seeds(2, full: 12) {
            var stream = Self.stream(megabits: 10, seed: seed)
            stream.link.rates = [
                .init(from: 0, bitsPerSecond: 10e6), .init(from: 20_000_000_000, bitsPerSecond: 1e6),
                .init(from: 40_000_000_000, bitsPerSecond: 10e6),
            ]
            let outcome = try stream.run(seconds: 60)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.age(0.95, from: 1) <= 156, "seed \(seed)")
            // A second after the fall, everything is as it was.
            #expect(outcome.age(1, from: 21.5, to: 40) <= 156, "seed \(seed)")
            #expect(outcome.framesPerSecond(from: 22, to: 40) >= 29, "seed \(seed)")
            // Five seconds after the rise the link is used again.
            let late = outcome.arrivals.count { $0.time > 50_000_000_000 }
            #expect(late >= 290, "seed \(seed)")
        }
    }

    /// 0.5 to 12 Mbit/s, another rate every half a second, and gaps of 200 ms.
    @Test func ageStaysBoundedOnACellularLink() throws {
        for seed in SimulationSize.seeds(2, full: 12) {
            var stream = Self.stream(megabits: 4, roundTrip: 50, seed: seed)
            stream.link.rates = Self.cellular(seconds: 60, seed: seed)
            let outcome = try stream.run(seconds: 60)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.age(0.5, from: 2) <= 110, "seed \(seed)")
            #expect(outcome.age(0.95, from: 2) <= 330, "seed \(seed)")
            #expect(outcome.framesPerSecond(from: 2, to: 60) >= 20, "seed \(seed)")
            // It does not grow.
            let (first, second) = (outcome.age(0.5, from: 2, to: 30), outcome.age(0.5, from: 30, to: 60))
            #expect(second <= 1.6 * first, "seed \(seed)")
        }
    }

    private static func cellular(seconds: Int, seed: UInt64) -> [SimulatedLink.Step] {
        var random = SplitMix(state: seed &* 31)
        var steps: [SimulatedLink.Step] = []
        var level = 0.5
        for half in 0..<2 * seconds {
            // A walk between the two ends, in equal factors.
            level = min(1, max(0, level + Double(random.next() % 401) / 1_000 - 0.2))
            let bits = 0.5e6 * (0..<Int(level * 100)).reduce(1) { product, _ in product * 1.0323 }
            let start = Int64(half) * 500_000_000
            if random.next() % 10 == 0 {
                steps.append(.init(from: start, bitsPerSecond: 1_000))
                steps.append(.init(from: start + 200_000_000, bitsPerSecond: bits))
            } else {
                steps.append(.init(from: start, bitsPerSecond: bits))
            }
        }
        return steps
    }

    @Test func aFixedRateIsKept() throws {
        for seed in SimulationSize.seeds(1, full: 4) {
            var stream = Self.stream(megabits: 100, rate: .fixed(2_000_000), seed: seed)
            let outcome = try stream.run(seconds: 20)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.framesPerSecond(from: 1, to: 20) >= 29.8, "seed \(seed)")
            let used = Self.bytesPerSecond(outcome, seconds: 20)
            #expect((230_000...256_000).contains(used), "seed \(seed): \(used)")
        }
    }
}
