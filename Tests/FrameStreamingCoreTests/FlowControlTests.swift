@testable import FrameStreamingCore
import Testing

@Suite struct FlowControlTests {
    static let time = MonotonicTime(nanoseconds: 1_000)

    static func flow(
        _ policy: DeliveryPolicy = .latest, window: Int = 2, credit: UInt64 = 16
    ) throws -> FlowControl {
        var flow = try FlowControl(policy: policy, window: window)
        _ = try flow.handle(.creditGranted(through: credit), at: time)
        return flow
    }

    static func acknowledge(_ sequence: UInt64, credit: UInt64 = 100) -> FlowControl.Event {
        .acknowledged(Acknowledgement(sequence: sequence, creditThrough: credit))
    }

    @Test func aWindowBelowOneIsRefused() {
        #expect(throws: FrameStreamingError.self) { try FlowControl(policy: .latest, window: 0) }
    }

    @Test func withoutCreditNothingIsTaken() throws {
        var flow = try FlowControl(policy: .latest, window: 4)
        #expect(try flow.handle(.offered, at: Self.time).take == nil)
        #expect(try flow.handle(.creditGranted(through: 1), at: Self.time).take?.sequence == 1)
    }

    @Test func oneIsEncodedAtATimeAndTheWindowHolds() throws {
        var flow = try Self.flow(window: 2)
        #expect(try flow.handle(.offered, at: Self.time).take?.sequence == 1)
        #expect(try flow.handle(.offered, at: Self.time).take == nil)
        #expect(try flow.handle(.sent(bytes: 10), at: Self.time).take?.sequence == 2)
        #expect(try flow.handle(.sent(bytes: 10), at: Self.time).take == nil)
        #expect(flow.underWay == 2)
        #expect(try flow.handle(.offered, at: Self.time).take == nil)
        #expect(try flow.handle(Self.acknowledge(1), at: Self.time).take?.sequence == 3)
    }

    @Test func theReceiversCreditIsASecondLimit() throws {
        var flow = try Self.flow(window: 8, credit: 1)
        _ = try flow.handle(.offered, at: Self.time)
        _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        #expect(try flow.handle(.offered, at: Self.time).take == nil)
        #expect(try flow.handle(Self.acknowledge(1, credit: 2), at: Self.time).take?.sequence == 2)
    }

    @Test func anUnsentPictureIsReplacedAndTheNextFrameSaysSo() throws {
        var flow = try Self.flow(window: 1)
        _ = try flow.handle(.offered, at: Self.time)
        _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        #expect(try flow.handle(.offered, at: Self.time).replaced == false)
        #expect(try flow.handle(.offered, at: Self.time).replaced)
        #expect(try flow.handle(.offered, at: Self.time).replaced)
        let ticket = try flow.handle(Self.acknowledge(1), at: Self.time).take
        #expect(ticket == FlowControl.Ticket(sequence: 2, skipped: 2))
        #expect(flow.counts.dropped.replaced == 2)
    }

    @Test func aFailedPictureUsesNoNumber() throws {
        var flow = try Self.flow()
        _ = try flow.handle(.offered, at: Self.time)
        _ = try flow.handle(.failed, at: Self.time)
        #expect(try flow.handle(.offered, at: Self.time).take == FlowControl.Ticket(sequence: 1, skipped: 1))
        #expect(flow.counts.failed == 1)
    }

    @Test(arguments: [
        Acknowledgement(sequence: 2, creditThrough: 20), Acknowledgement(sequence: 0, creditThrough: 20),
        Acknowledgement(sequence: 3, creditThrough: 20), Acknowledgement(sequence: 1, creditThrough: 15),
    ])
    func acknowledgementsThatCannotBeEndTheConnection(_ acknowledgement: Acknowledgement) throws {
        var flow = try Self.flow(credit: 16)
        _ = try flow.handle(.offered, at: Self.time)
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
        _ = try flow.handle(.offered, at: Self.time)
        _ = try flow.handle(.sent(bytes: 1), at: Self.time)
        _ = try flow.handle(.offered, at: Self.time)
        _ = try flow.handle(.ended, at: Self.time)
        _ = try flow.handle(.ended, at: Self.time)
        _ = try flow.handle(.offered, at: Self.time)
        #expect(flow.counts.lost == 1)
        #expect(flow.counts.dropped.disconnected == 2)
        #expect(flow.isDrained)
    }

    @Test func measuresFromSentToAcknowledged() throws {
        var flow = try Self.flow()
        _ = try flow.handle(.offered, at: Self.time)
        _ = try flow.handle(.sent(bytes: 1), at: MonotonicTime(nanoseconds: 100))
        #expect(try flow.handle(Self.acknowledge(1), at: MonotonicTime(nanoseconds: 350)).ackTime == 250)
    }

    /// A million events in any order that can be: the limits hold after each, and every picture is accounted for at the end.
    @Test(arguments: [1, 2, 3, 5, 8] as [UInt64]) func holdsItsLimitsWhateverHappens(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let window = 1 + Int(random.next() % 6)
        let ahead = 1 + random.next() % 8
        let policy: DeliveryPolicy = seed % 2 == 0 ? .latest : .reliable
        var flow = try Self.flow(policy, window: window, credit: ahead)
        var isEncoding = false
        var replaced = 0
        for step in 0..<200_000 {
            let now = MonotonicTime(nanoseconds: Int64(step))
            let decision: FlowControl.Decision
            switch random.next() % 4 {
            case 0:
                guard policy == .latest || flow.hasRoom else { continue }
                decision = try flow.handle(.offered, at: now)
            case 1 where isEncoding:
                isEncoding = false
                decision = try flow.handle(random.next() % 50 == 0 ? .failed : .sent(bytes: 7), at: now)
            case 2 where flow.underWay > 0:
                let next = flow.acknowledgedThrough + 1
                var word = Acknowledgement(sequence: next, creditThrough: next + ahead)
                if random.next() % 20 == 0 { word.outcome = .undecodable }
                decision = try flow.handle(.acknowledged(word), at: now)
            default: continue
            }
            if decision.replaced { replaced += 1 }
            if let ticket = decision.take {
                #expect(!isEncoding)
                #expect(ticket.sequence == flow.sentThrough + 1)
                isEncoding = true
            }
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
        #expect(counts.bytes == counts.sent * 7)
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
