@testable import FrameStreamingCore
import Testing

/// Sessions that meet every possible event in any order. After each event ``SimulatedSession``
/// checks that every frame is accounted for, and that none is delivered out of order or twice.
@Suite struct SessionSimulationTests {
    /// The seeds for each policy: a hundred thousand events, a million in the full run.
    static let seeds = SimulationSize.seeds(10, full: 100)

    static let policies: [DeliveryPolicy] = [.latest, .reliable, .deadline(age: .milliseconds(50))]

    /// A session with parameters drawn from the seed.
    static func session(
        _ policy: DeliveryPolicy, hasMemory: Bool = false, seed: UInt64
    ) throws -> SimulatedSession {
        var random = SplitMix(state: seed)
        func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
        var options = SenderOptions(policy: policy, window: pick([1, 2, 4, .adaptive]))
        options.encoders = pick([1, 1, 2, 4])
        options.reconnection = pick([.afterBreak, .afterBreak, .always, .never])
        options.stallTimeout = pick([nil, .seconds(2), .seconds(30)])
        options.drainTimeout = pick([.seconds(1), .seconds(30)])
        if pick([true, false, false]) { options.adaptiveQuality = AdaptiveQuality(20...80, allowsRate: true) }
        if pick([true, false]) { options.onAcknowledgement = { _, _ in } }
        let session = try SimulatedSession(
            options,
            connecting: pick([.byThisSide, .byListener, .byReceiver(isIncoming: true), .byReceiver(isIncoming: false)]),
            hasMemory: hasMemory, seed: seed)
        session.passesOn = pick([true, false])
        session.hasSession = pick([true, true, false])
        session.forgets = pick([0, 0, 4])
        session.lies = pick([0, 0, 2_000])
        session.ends = pick([100, 10_000])
        session.breaks = options.reconnection == .never ? 20 : pick([1, 1, 10])
        session.blocks = pick([0, 4, 2])
        session.creditAhead = pick([1, 3, 8, 64])
        // Seldom, because most refusals end the session.
        session.refuses = pick([0, 0, 100])
        return session
    }

    @Test(arguments: policies)
    func everyFrameIsAccountedForAfterEachEvent(policy: DeliveryPolicy) throws {
        var (events, delivered, connections, missed) = (0, 0, 0, 0)
        var seen: Set<String> = []
        var ends: Set<String> = []
        for seed in Self.seeds {
            let session = try Self.session(policy, seed: seed &* 65_537)
            let outcome = session.run(events: 10_000)
            #expect(outcome.violations.isEmpty, "seed \(seed)")
            missed += outcome.missed
            events += outcome.events
            delivered += outcome.delivered
            connections += outcome.connections
            seen.formUnion(outcome.seen)
            ends.insert(outcome.end?.description ?? "none")
        }
        // Enough frames must arrive for the checks to mean anything.
        #expect(delivered > events / 40)
        // Only a receiver of the newest frame rests.
        #expect((missed > Self.seeds.count) == (policy == .latest) && (missed == 0) == (policy != .latest))
        #expect(connections > Self.seeds.count)
        #expect(
            seen.isSuperset(of: ["goodbye", "connected", "disconnected", "requested", "ended", "chose", "refusal"]))
        #expect(ends.isSuperset(of: ["bye", "cancelled", "error"]))
    }

    /// An encoder with memory: no frame follows another than the one that it depends on, but those that
    /// were under way when one did not decode.
    @Test(arguments: policies)
    func everyFrameFollowsItsReference(policy: DeliveryPolicy) throws {
        var (events, delivered, undecodable, connections) = (0, 0, 0, 0)
        for seed in Self.seeds {
            let session = try Self.session(policy, hasMemory: true, seed: seed &* 65_537)
            session.passesOn = false
            // Long runs: what ends one early is in the test above.
            (session.ends, session.lies, session.refuses, session.hasGoodbyes) = (10_000, 0, 0, false)
            session.breaks = 20
            let outcome = session.run(events: 10_000)
            #expect(outcome.violations.isEmpty, "seed \(seed)")
            events += outcome.events
            delivered += outcome.delivered
            undecodable += outcome.undecodable
            connections += outcome.connections
        }
        #expect(undecodable > 0 && undecodable < delivered / 2, "\(undecodable) of \(delivered)")
        #expect(delivered > events / 40 && connections > Self.seeds.count, "\(delivered), \(connections)")
    }

    /// Ends the session from this side after 1, 2, 3, ... events. Beyond fifty it tries every
    /// tenth number, and in the full run every one.
    @Test(arguments: policies)
    func aSessionMayEndAtAnyPoint(policy: DeliveryPolicy) throws {
        for events in 1...UInt64(400) where SimulationSize.isFull || events <= 50 || events % 10 == 0 {
            let session = try Self.session(policy, seed: events &* 257)
            session.ends = 0
            let outcome = session.run(events: Int(events))
            #expect(outcome.violations.isEmpty, "after \(events) events")
        }
    }

    /// Connections break in every way and are made again: no frame is lost, and none arrives twice.
    @Test func underReliableEveryFrameArrivesOnce() throws {
        for seed in Self.seeds {
            var options = SenderOptions(policy: .reliable, window: 4)
            options.drainTimeout = nil
            let session = try SimulatedSession(options, seed: seed)
            session.ends = 0
            session.hasGoodbyes = false
            session.endsWithSource = true
            let outcome = session.run(events: 3_000)
            #expect(outcome.violations.isEmpty, "seed \(seed)")
            #expect(outcome.counts.lost == 0 && outcome.counts.dropped.total == outcome.late, "seed \(seed)")
            #expect(outcome.delivered == outcome.counts.produced - outcome.late - outcome.unencodable, "seed \(seed)")
            #expect(outcome.connections > 1)
        }
    }
}
