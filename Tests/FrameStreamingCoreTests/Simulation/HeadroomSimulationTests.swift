@testable import FrameStreamingCore
import Testing

/// Trials of a larger window with a measured round trip: none where they are pointless, and the
/// usual number where they are not.
@Suite struct HeadroomSimulationTests {
    static func stream(
        megabits: Double, roundTrip: Double, rate: Double, consumer: Double = 0, noise: Double, measured: Bool = true,
        seed: UInt64
    ) -> SimulatedStream {
        var stream = SimulatedStream(
            policy: .latest, window: .adaptive,
            link: SimulatedLink(megabits: megabits, roundTrip: roundTrip, consumer: consumer, noise: noise, seed: seed),
            rate: rate, seed: seed)
        stream.measuresRoundTrip = measured
        return stream
    }

    /// How often the window grew.
    static func trials(_ outcome: SimulatedStream.Outcome, from: Double = 0, to: Double = .infinity) -> Int {
        zip(outcome.windows, outcome.windows.dropFirst()).count { before, after in
            after.frames > before.frames && Double(after.time) >= from * 1e9 && Double(after.time) < to * 1e9
        }
    }

    /// Three times as many pictures as the link carries, over a
    /// short path: the link is always busy.
    @Test(arguments: [1, 2, 5, 10, 30, 100, 300, 1_000] as [Double])
    func aLinkThatIsBusyIsNotTried(megabits: Double) throws {
        // Milliseconds of a frame.
        let service = 800 / megabits
        // At thousands of pictures a second a few seconds are enough.
        let seconds = SimulationSize.isFull || megabits < 30 ? 30.0 : megabits < 300 ? 8 : 4
        for seed in SimulationSize.seeds(1, full: 5) {
            func run(measured: Bool) throws -> SimulatedStream.Outcome {
                var stream = Self.stream(
                    megabits: megabits, roundTrip: min(0.5, service / 20), rate: 3_000 / service,
                    noise: min(0.5, service / 50), measured: measured, seed: seed)
                stream.encodeTime = Int64(min(2, service / 40) * 1e6)
                stream.spread = 0.1
                return try stream.run(seconds: seconds)
            }
            let outcome = try run(measured: true)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.windows.allSatisfy { $0.frames == 1 }, "seed \(seed): \(outcome.windows)")
            let before = try run(measured: false)
            #expect(Self.trials(before) > 0)
            // No throughput is lost, and the oldest frame is younger. The very last picture waits
            // for the one before and is not counted.
            #expect(Double(outcome.bytesDelivered) > 0.98 * Double(before.bytesDelivered))
            let end = seconds - service / 500
            #expect(outcome.age(1, to: end) < before.age(1, to: end))
        }
    }

    @Test func norIsAConsumerThatIsBusy() throws {
        for seed in SimulationSize.seeds(1, full: 5) {
            var stream = Self.stream(
                megabits: 1_000, roundTrip: 0.2, rate: 30, consumer: 60, noise: 1, seed: seed)
            stream.encodeTime = 2_000_000
            let outcome = try stream.run(seconds: 30)
            #expect(outcome.windows.allSatisfy { $0.frames == 1 }, "seed \(seed): \(outcome.windows)")
            #expect(outcome.framesPerSecond(from: 1, to: 30) >= 15.5)
            // Not to the very end: the last picture waits for the one before.
            #expect(outcome.age(1, to: 29.8) <= 40)
        }
    }

    /// Frames may meet other conditions than the measurements did, so a
    /// trial is made, at most once a minute.
    @Test func aTrialIsMadeOnceAMinuteNevertheless() throws {
        var stream = Self.stream(megabits: 10, roundTrip: 0.2, rate: 30, noise: 1, seed: 1)
        let outcome = try stream.run(seconds: 400)
        #expect((2...6).contains(Self.trials(outcome)))
        #expect(Self.trials(outcome, to: 60) == 0)
    }

    /// 100 -> 5 -> 100 Mbit: only frames in flight at the steps are late.
    @Test(arguments: [30, 60] as [Double])
    func noFrameIsLateAfterTheRateFell(rate: Double) throws {
        for seed in SimulationSize.seeds(1, full: 10) {
            var stream = Self.stream(megabits: 100, roundTrip: 0.2, rate: rate, noise: 1, seed: seed)
            stream.encodeTime = 2_000_000
            stream.link.rates = [
                .init(from: 0, bitsPerSecond: 100e6), .init(from: 10_000_000_000, bitsPerSecond: 5e6),
                .init(from: 20_000_000_000, bitsPerSecond: 100e6),
            ]
            let outcome = try stream.run(seconds: 30)
            #expect(outcome.violations.isEmpty)
            let after = outcome.arrivals.filter { $0.time > 10_000_000_000 && $0.time < 20_000_000_000 }.dropFirst()
            let bound = Int64((160 + 1_100 / rate + 6) * 1e6)
            let late = after.count { $0.age > bound }
            #expect(late == 0, "seed \(seed): \(late) of \(after.count) late")
            #expect(after.count >= 58)
            #expect(Self.trials(outcome) == 0, "seed \(seed): \(outcome.windows)")
            #expect(outcome.framesPerSecond(from: 21, to: 30) >= rate - 1)
        }
    }

    /// After the rate of a long path rises the window is too small, so a trial is made at once.
    @Test func growsAfterTheRateRose() throws {
        for seed in SimulationSize.seeds(1, full: 5) {
            var stream = Self.stream(megabits: 15, roundTrip: 40, rate: 60, noise: 1, seed: seed)
            stream.link.rates.append(.init(from: 10_000_000_000, bitsPerSecond: 100e6))
            let outcome = try stream.run(seconds: 20)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.framesPerSecond(from: 14, to: 20) >= 58, "seed \(seed)")
        }
    }

    /// The path becomes longer and short again: the window grows within
    /// seconds and shrinks to its former size.
    @Test(arguments: [(100, 60, 100.0), (20, 60, 40.0), (300, 120, 60.0)] as [(Double, Double, Double)])
    func followsThePath(megabits: Double, rate: Double, longer: Double) throws {
        let possible = min(rate, megabits / 0.8)
        for seed in SimulationSize.seeds(1, full: 5) {
            var stream = Self.stream(megabits: megabits, roundTrip: 0.2, rate: rate, noise: 0.5, seed: seed)
            stream.encodeTime = 1_000_000
            stream.link.laterRoundTrips = [
                (from: 10_000_000_000, roundTrip: Int64(longer * 1e6)), (from: 30_000_000_000, roundTrip: 200_000),
            ]
            let outcome = try stream.run(seconds: 50)
            #expect(outcome.violations.isEmpty)
            #expect(Self.trials(outcome, to: 10) == 0, "seed \(seed)")
            #expect(outcome.framesPerSecond(from: 16, to: 30) >= 0.9 * possible, "seed \(seed)")
            #expect(outcome.framesPerSecond(from: 32, to: 50) >= 0.9 * possible, "seed \(seed)")
            let alone = 800 / megabits + 1_100 / rate + 4
            #expect(outcome.age(0.95, from: 16, to: 30) <= 2 * alone + longer / 2, "seed \(seed)")
            #expect(outcome.age(0.95, from: 36) <= 2 * alone, "seed \(seed)")
        }
    }

    /// The window grows no later than without measurements; over a long path, where each
    /// step takes long, it grows sooner.
    @Test(
        arguments: [
            (100, 40, 0.99), (300, 10, 0.99), (20, 40, 0.99), (100, 150, 1.15), (1_000, 300, 1.5),
        ] as [(Double, Double, Double)])
    func growsAsSoonAsBefore(megabits: Double, roundTrip: Double, gain: Double) throws {
        var (with, without) = (0, 0)
        for seed in SimulationSize.seeds(2, full: 20) {
            for measured in [true, false] {
                var stream = Self.stream(
                    megabits: megabits, roundTrip: roundTrip, rate: 60, noise: 1, measured: measured, seed: seed)
                stream.encodeTime = 2_000_000
                stream.creditAhead = 64
                stream.link.warmUp = 3
                let outcome = try stream.run(seconds: 8)
                #expect(outcome.violations.isEmpty)
                if measured { with += outcome.arrivals.count } else { without += outcome.arrivals.count }
            }
        }
        #expect(Double(with) >= gain * Double(without), "\(with) frames, \(without) without")
    }

    /// The source has a picture every 33 ms, and the path takes 100 ms: more than four
    /// frames in flight would form a queue.
    @Test func growsToNoMoreThanTheSourceHasPicturesFor() throws {
        for seed in SimulationSize.seeds(1, full: 10) {
            var stream = Self.stream(megabits: 1_000, roundTrip: 100, rate: 30, noise: 1, seed: seed)
            stream.encodeTime = 2_000_000
            let outcome = try stream.run(seconds: 10)
            #expect(outcome.violations.isEmpty)
            #expect(outcome.framesPerSecond(from: 3, to: 10) >= 29)
            // Four, and one more on trial.
            #expect((outcome.windows.map(\.frames).max() ?? 0) <= 5, "seed \(seed): \(outcome.windows)")
        }
    }
}
