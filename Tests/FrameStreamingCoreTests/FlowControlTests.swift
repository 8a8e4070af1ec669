@testable import FrameStreamingCore
import Testing

@Suite struct FlowControlTests {
    static let time = MonotonicTime(nanoseconds: 1_000)

    static func flow(
        _ policy: DeliveryPolicy = .latest, window: Int = 2, credit: UInt64 = 16, encoders: Int = 1
    ) throws -> FlowControl {
        var flow = try FlowControl(policy: policy, window: .fixed(window), encoders: encoders)
        _ = try flow.handle(.connected(creditThrough: credit), at: time)
        return flow
    }

    static let offered = FlowControl.Event.offered(captured: time)

    static func acknowledge(_ sequence: UInt64, credit: UInt64 = 100) -> FlowControl.Event {
        .acknowledged(Acknowledgement(sequence: sequence, creditThrough: credit))
    }

    @Test func aWindowBelowOneIsRefused() {
        #expect(throws: FrameStreamingError.self) { try FlowControl(policy: .latest, window: 0) }
        #expect(throws: FrameStreamingError.self) { try FlowControl(policy: .latest, window: 1, encoders: 0) }
    }

    @Test func withoutCreditNothingIsTaken() throws {
        var flow = try FlowControl(policy: .latest, window: 4)
        #expect(try flow.handle(Self.offered, at: Self.time).takes == 0)
        #expect(try flow.handle(.connected(creditThrough: 0), at: Self.time).takes == 0)
        #expect(try flow.handle(.connected(creditThrough: 1), at: Self.time).takes == 1)
    }

    @Test func oneIsEncodedAtATimeAndTheWindowHolds() throws {
        var flow = try Self.flow(window: 2)
        #expect(try flow.handle(Self.offered, at: Self.time).takes == 1)
        #expect(flow.maySend && flow.nextSequence == 1)
        #expect(try flow.handle(Self.offered, at: Self.time).takes == 0)
        #expect(try flow.handle(.sent(bytes: 10), at: Self.time).takes == 1)
        #expect(flow.nextSequence == 2)
        #expect(try flow.handle(.sent(bytes: 10), at: Self.time).takes == 0)
        #expect(flow.underWay == 2 && !flow.maySend)
        #expect(try flow.handle(Self.offered, at: Self.time).takes == 0)
        #expect(try flow.handle(Self.acknowledge(1), at: Self.time).takes == 1)
        #expect(flow.maySend && flow.nextSequence == 3)
    }

    @Test func asManyAreEncodedAtOnceAsThereAreEncoders() throws {
        var flow = try Self.flow(window: 8, encoders: 3)
        let takes = try (0..<5).map { _ in try flow.handle(Self.offered, at: Self.time).takes }
        #expect(takes == [1, 1, 1, 0, 0])
        #expect(try flow.handle(.sent(bytes: 1), at: Self.time).takes == 1)
    }

    @Test func encodersDoNotOutrunTheWindowOfLatest() throws {
        var flow = try Self.flow(window: 2, encoders: 4)
        let takes = try (0..<4).map { _ in try flow.handle(Self.offered, at: Self.time).takes }
        #expect(takes == [1, 1, 0, 0])
        #expect(flow.counts.dropped.replaced == 1)
    }

    @Test func underReliableTheNextIsEncodedWhileCreditIsAwaited() throws {
        var flow = try Self.flow(.reliable, window: 1)
        #expect(try flow.handle(Self.offered, at: Self.time).takes == 1)
        _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        #expect(try flow.handle(Self.offered, at: Self.time).takes == 1)
        #expect(!flow.maySend && flow.hasRoom)
        #expect(try flow.handle(Self.offered, at: Self.time).takes == 0)
        #expect(!flow.hasRoom)
        _ = try flow.handle(Self.acknowledge(1), at: Self.time)
        #expect(flow.maySend)
    }

    @Test func theReceiversCreditIsASecondLimit() throws {
        var flow = try Self.flow(window: 8, credit: 1)
        _ = try flow.handle(Self.offered, at: Self.time)
        _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        #expect(try flow.handle(Self.offered, at: Self.time).takes == 0)
        #expect(try flow.handle(Self.acknowledge(1, credit: 2), at: Self.time).takes == 1)
    }

    @Test func anUnsentPictureIsReplacedAndTheNextFrameSaysSo() throws {
        var flow = try Self.flow(window: 1)
        _ = try flow.handle(Self.offered, at: Self.time)
        _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        #expect(try flow.handle(Self.offered, at: Self.time).drops == 0)
        #expect(try flow.handle(Self.offered, at: Self.time).drops == 1)
        #expect(try flow.handle(Self.offered, at: Self.time).drops == 1)
        #expect(try flow.handle(Self.acknowledge(1), at: Self.time).takes == 1)
        #expect(flow.nextSequence == 2 && flow.nextSkipped == 2)
        #expect(flow.counts.dropped.replaced == 2)
    }

    @Test func aFailedPictureUsesNoNumber() throws {
        var flow = try Self.flow(encoders: 2)
        _ = try flow.handle(Self.offered, at: Self.time)
        _ = try flow.handle(Self.offered, at: Self.time)
        _ = try flow.handle(.failed, at: Self.time)
        #expect(flow.nextSequence == 1 && flow.nextSkipped == 1)
        _ = try flow.handle(.failed, at: Self.time)
        _ = try flow.handle(Self.offered, at: Self.time)
        #expect(flow.nextSequence == 1 && flow.nextSkipped == 2)
        #expect(flow.counts.failed == 2)
    }

    @Test func aPausedReceiverGetsWhatIsUnderWayAndThenTheNewest() throws {
        var flow = try Self.flow(window: 2)
        _ = try flow.handle(Self.offered, at: Self.time)
        #expect(try flow.handle(.paused, at: Self.time).takes == 0)
        #expect(flow.maySend)
        _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        #expect(try flow.handle(Self.offered, at: Self.time).takes == 0)
        #expect(try flow.handle(Self.acknowledge(1), at: Self.time).takes == 0)
        #expect(try flow.handle(Self.offered, at: Self.time).drops == 1)
        #expect(try flow.handle(.resumed, at: Self.time).takes == 1)
        #expect(flow.nextSkipped == 1)
    }

    // MARK: deadline

    private static func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: time.nanoseconds + milliseconds * 1_000_000)
    }

    @Test func underDeadlinePicturesWaitInOrderAndTheOldAreDropped() throws {
        var flow = try Self.flow(.deadline(.milliseconds(100)), window: 1)
        _ = try flow.handle(.offered(captured: Self.at(0)), at: Self.at(0))
        _ = try flow.handle(.sent(bytes: 1), at: Self.at(0))
        for moment in [20, 40, 60, 80] as [Int64] {
            let decision = try flow.handle(.offered(captured: Self.at(moment)), at: Self.at(moment))
            #expect(decision == FlowControl.Decision())
        }
        // Credit comes after 145 ms: those of 20 and 40 are older than 100 ms, and the one of 60 goes.
        var decision = try flow.handle(Self.acknowledge(1), at: Self.at(145))
        #expect(decision.drops == 2 && decision.takes == 1)
        #expect(flow.nextSkipped == 2)
        _ = try flow.handle(.sent(bytes: 1), at: Self.at(145))
        decision = try flow.handle(Self.acknowledge(2), at: Self.at(150))
        #expect(decision.drops == 0 && decision.takes == 1)
        #expect(flow.counts.dropped.deadline == 2)
        _ = try flow.handle(.ended, at: Self.at(151))
        let counts = flow.counts
        #expect(counts.produced == counts.acknowledged + counts.dropped.total + counts.failed + counts.lost)
    }

    @Test func underDeadlineNoMoreWaitThanMemoryAllows() throws {
        var flow = try Self.flow(.deadline(.seconds(3600)), window: 1, credit: 0)
        let drops = try (0..<100).map { _ in try flow.handle(Self.offered, at: Self.time).drops }
        #expect(drops.reduce(0, +) == 100 - FlowControl.mostWaiting)
        #expect(flow.counts.dropped.replaced == 100 - FlowControl.mostWaiting)
    }

    // MARK: Ahead of credit

    @Test func aPictureIsEncodedJustBeforeTheCreditThatIsExpected() throws {
        var flow = try Self.flow(window: 1)
        // Acknowledgements come after 80 ms, encoding takes 5.
        var start: Int64 = 0
        for number in 1...40 as ClosedRange<UInt64> {
            if number == 1 { _ = try flow.handle(.offered(captured: Self.at(start)), at: Self.at(start)) }
            _ = try flow.handle(
                .encoded(nanoseconds: 5_000_000, bytes: 1, settings: EncodeSettings()), at: Self.at(start))
            _ = try flow.handle(.sent(bytes: 1), at: Self.at(start))
            _ = try flow.handle(.offered(captured: Self.at(start)), at: Self.at(start + 10))
            if number < 40 { start += 80; _ = try flow.handle(Self.acknowledge(number), at: Self.at(start)) }
        }
        let wakeAt = try #require(flow.wakeAt)
        #expect(wakeAt > Self.at(start + 70) && wakeAt <= Self.at(start + 76))
        #expect(try flow.handle(.tick, at: Self.at(start + 60)).takes == 0)
        #expect(try flow.handle(.tick, at: wakeAt).takes == 1)
        #expect(!flow.maySend)
        // One is enough, however late the acknowledgement is.
        #expect(try flow.handle(Self.offered, at: Self.at(start + 79)).takes == 0)
        #expect(flow.wakeAt == nil)
        _ = try flow.handle(Self.acknowledge(40), at: Self.at(start + 80))
        #expect(flow.maySend)
    }

    @Test func nothingIsEncodedForAnAcknowledgementThatIsLate() throws {
        var flow = try Self.flow(window: 1)
        for number in 1...20 as ClosedRange<UInt64> {
            let start = Int64(number) * 100
            _ = try flow.handle(Self.offered, at: Self.at(start))
            _ = try flow.handle(
                .encoded(nanoseconds: 5_000_000, bytes: 1, settings: EncodeSettings()), at: Self.at(start))
            _ = try flow.handle(.sent(bytes: 1), at: Self.at(start))
            if number < 20 { _ = try flow.handle(Self.acknowledge(number), at: Self.at(start + 80)) }
        }
        #expect(try flow.handle(Self.offered, at: Self.at(2000 + 90)).takes == 0)
        #expect(flow.wakeAt == nil)
    }

    // MARK: Connections

    @Test func latestReplaysNothing() throws {
        var flow = try Self.flow(window: 3)
        for _ in 0..<2 {
            _ = try flow.handle(Self.offered, at: Self.time)
            _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        }
        _ = try flow.handle(Self.offered, at: Self.time)
        _ = try flow.handle(.disconnected, at: Self.time)
        #expect(flow.counts.lost == 2 && flow.counts.dropped.disconnected == 1)
        #expect(!flow.maySend)
        #expect(try flow.handle(Self.offered, at: Self.time).takes == 0)
        #expect(try flow.handle(Self.offered, at: Self.time).drops == 1)
        #expect(try flow.handle(.connected(creditThrough: 16), at: Self.time).takes == 1)
        #expect(flow.nextSequence == 1 && flow.awaitingResend == 0)
    }

    @Test func reliableSendsTheUnacknowledgedAgainFirst() throws {
        var flow = try Self.flow(.reliable, window: 3)
        for _ in 0..<3 {
            _ = try flow.handle(Self.offered, at: Self.time)
            _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        }
        _ = try flow.handle(Self.acknowledge(1), at: Self.time)
        _ = try flow.handle(Self.offered, at: Self.time)
        _ = try flow.handle(.disconnected, at: Self.time)
        #expect(flow.awaitingResend == 2 && !flow.isDrained && flow.counts.lost == 0)
        // The second had been consumed: its acknowledgement was lost.
        _ = try flow.handle(.connected(creditThrough: 16, consumed: 1), at: Self.time)
        #expect(flow.awaitingResend == 1 && flow.counts.acknowledged == 2)
        #expect(flow.maySend && flow.nextSequence == 1)
        _ = try flow.handle(.resent(bytes: 1), at: Self.time)
        _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        #expect(flow.underWay == 2)
        _ = try flow.handle(Self.acknowledge(1), at: Self.time)
        _ = try flow.handle(Self.acknowledge(2), at: Self.time)
        #expect(flow.isDrained && flow.counts.acknowledged == 4 && flow.counts.resent == 1)
    }

    @Test(arguments: [
        Acknowledgement(sequence: 2, creditThrough: 20), Acknowledgement(sequence: 0, creditThrough: 20),
        Acknowledgement(sequence: 3, creditThrough: 20), Acknowledgement(sequence: 1, creditThrough: 15),
    ])
    func acknowledgementsThatCannotBeEndTheConnection(_ acknowledgement: Acknowledgement) throws {
        var flow = try Self.flow(credit: 16)
        _ = try flow.handle(Self.offered, at: Self.time)
        _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        do {
            _ = try flow.handle(.acknowledged(acknowledgement), at: Self.time)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .protocolViolation)
        }
    }

    @Test func theEndCountsWhatWasCutOff() throws {
        var flow = try Self.flow(window: 1)
        _ = try flow.handle(Self.offered, at: Self.time)
        _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        _ = try flow.handle(Self.offered, at: Self.time)
        _ = try flow.handle(.ended, at: Self.time)
        _ = try flow.handle(.ended, at: Self.time)
        _ = try flow.handle(Self.offered, at: Self.time)
        #expect(flow.counts.lost == 1)
        #expect(flow.counts.dropped.disconnected == 2)
        #expect(flow.isDrained)
    }

    @Test func measuresFromSentToAcknowledged() throws {
        var flow = try Self.flow()
        _ = try flow.handle(Self.offered, at: Self.time)
        _ = try flow.handle(.sent(bytes: 1), at: MonotonicTime(nanoseconds: 100))
        #expect(try flow.handle(Self.acknowledge(1), at: MonotonicTime(nanoseconds: 350)).ackTime == 250)
    }

    /// A million events in any order that can be: the limits hold after each, and every picture is accounted for at the end.
    @Test(arguments: [1, 2, 3, 5, 8] as [UInt64]) func holdsItsLimitsWhateverHappens(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let window = 1 + Int(random.next() % 6)
        let ahead = 1 + random.next() % 8
        let policy: DeliveryPolicy = seed % 2 == 0 ? .latest : .reliable
        let encoders = 1 + Int(random.next() % 3)
        var flow = try Self.flow(policy, window: window, credit: ahead, encoders: encoders)
        var encoding = 0
        var replaced = 0
        for step in 0..<200_000 {
            let now = MonotonicTime(nanoseconds: Int64(step))
            let decision: FlowControl.Decision
            switch random.next() % 5 {
            case 0:
                guard policy == .latest || flow.hasRoom else { continue }
                decision = try flow.handle(Self.offered, at: now)
            case 1 where encoding > 0 && flow.maySend:
                encoding -= 1
                decision = try flow.handle(random.next() % 50 == 0 ? .failed : .sent(bytes: 7), at: now)
            case 2 where flow.underWay > 0:
                let next = flow.acknowledgedThrough + 1
                var word = Acknowledgement(sequence: next, creditThrough: next + ahead)
                if random.next() % 20 == 0 { word.outcome = .undecodable }
                decision = try flow.handle(.acknowledged(word), at: now)
            case 3: decision = try flow.handle(.tick, at: now)
            case 4 where random.next() % 1000 == 0:
                _ = try flow.handle(.disconnected, at: now)
                if policy == .latest { encoding = 0 }
                decision = try flow.handle(.connected(creditThrough: ahead, consumed: 1), at: now)
                while flow.awaitingResend > 0, flow.maySend {
                    encoding += try flow.handle(.resent(bytes: 7), at: now).takes
                }
            default: continue
            }
            replaced += decision.drops
            encoding += decision.takes
            #expect(encoding <= encoders)
            guard flow.underWay <= window, flow.sentThrough <= flow.creditThrough else {
                Issue.record("limits broken at step \(step)")
                return
            }
        }
        _ = try flow.handle(.ended, at: Self.time)
        let counts = flow.counts
        #expect(
            counts.produced == counts.acknowledged + counts.dropped.total + counts.failed + counts.lost)
        #expect(counts.dropped.replaced == replaced)
        #expect(policy == .latest || replaced == 0)
        #expect(counts.bytes == (counts.sent + counts.resent) * 7)
    }
}

/// A small generator with a seed, so that a failure repeats.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
