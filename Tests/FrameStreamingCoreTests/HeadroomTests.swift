@testable import FrameStreamingCore
import Testing

/// What a larger window could gain, estimated from the stages of a frame's way.
@Suite struct HeadroomTests {
    static let millisecond: Int64 = 1_000_000
    static let second: Int64 = 1_000_000_000

    static func headroom(
        _ time: Int64, roundTrip: Int64, receiver: Int64 = 0, cycle: Int64? = nil
    ) -> Headroom {
        var headroom = Headroom()
        headroom.add(
            ofOne: time * millisecond, roundTrip: roundTrip * millisecond, receiver: receiver * millisecond,
            cycle: (cycle ?? time) * millisecond)
        return headroom
    }

    @Test func whatIsNotKnownIsTried() {
        var headroom = Headroom()
        #expect(!headroom.isSmall(for: 1))
        let isAllowed = headroom.allowsTrial(from: 1, ackTime: 1, at: 0)
        #expect(isAllowed)
        // A frame that queued behind others says nothing alone.
        headroom.add(ofOne: 80 * Self.millisecond, roundTrip: 1, cycle: 160 * Self.millisecond, window: 2)
        #expect(!headroom.isSmall(for: 2))
    }

    @Test(
        arguments: [
            // Serialisation or the receiver takes the whole time.
            (160, 1, 0, 160, true), (61, 0, 60, 61, true),
            // The path takes most of the time.
            (48, 40, 0, 48, false), (10, 2, 0, 10, false),
            // A link and a receiver that could work at once.
            (80, 1, 40, 80, false), (80, 1, 5, 80, true),
            // A frame that is encoded only when there is room.
            (80, 1, 0, 120, false),
        ] as [(Int64, Int64, Int64, Int64, Bool)])
    func oneFrameUnderWay(time: Int64, roundTrip: Int64, receiver: Int64, cycle: Int64, isSmall: Bool) {
        let headroom = Self.headroom(time, roundTrip: roundTrip, receiver: receiver, cycle: cycle)
        #expect(headroom.isSmall(for: 1) == isSmall)
    }

    /// 40 ms of link and 40 ms of way: two frames fill it.
    @Test func framesBehindOthers() {
        var headroom = Self.headroom(80, roundTrip: 40)
        #expect(!headroom.isSmall(for: 1))
        for _ in 0..<20 {
            headroom.add(
                ofOne: 80 * Self.millisecond, roundTrip: 40 * Self.millisecond, cycle: 82 * Self.millisecond, window: 2)
        }
        #expect(headroom.isSmall(for: 2))
        // The link became faster, so the time of one frame is not known any more.
        headroom.add(
            ofOne: 80 * Self.millisecond, roundTrip: 40 * Self.millisecond, cycle: 60 * Self.millisecond, window: 2)
        #expect(!headroom.isSmall(for: 2))
    }

    /// The idle time of a link that was faster before must not cause a trial on the slow one.
    @Test func aRateThatFellIsKnownWithTheSecondFrame() {
        var headroom = Headroom()
        for _ in 0..<8 {
            headroom.add(
                ofOne: 12 * Self.millisecond, roundTrip: 4 * Self.millisecond, receiver: 0, cycle: 12 * Self.millisecond
            )
        }
        #expect(!headroom.isSmall(for: 1))
        for _ in 0..<2 {
            headroom.add(
                ofOne: 164 * Self.millisecond, roundTrip: 4 * Self.millisecond, receiver: 0,
                cycle: 164 * Self.millisecond)
        }
        #expect(headroom.isSmall(for: 1))
    }

    /// Ten frames in flight could use a tenth more, and one could not.
    @Test(arguments: [(1, true), (3, true), (4, false), (10, false)])
    func theMoreAreUnderWayTheSmallerMayTheGainBe(window: Int, isSmall: Bool) {
        var headroom = Self.headroom(100, roundTrip: 10)
        let one = 90 * Self.millisecond
        headroom.add(
            ofOne: 100 * Self.millisecond, roundTrip: 10 * Self.millisecond, cycle: one * Int64(window) * 10 / 9,
            window: window)
        #expect(headroom.isSmall(for: window) == isSmall)
        // Knowledge about one window says nothing about another.
        #expect(!headroom.isSmall(for: window + 1))
        #expect(headroom.bottleneck(for: window + 1, cycle: one) == nil)
        let found = headroom.bottleneck(for: window, cycle: one * Int64(window) * 10 / 9) ?? 0
        #expect(abs(found - one) <= one / 100)
    }

    @Test func onceAMinuteOrInFortyFramesItIsTried() {
        var headroom = Self.headroom(100, roundTrip: 1)
        func allows(ackTime: Int64 = 100 * Self.millisecond, at now: Int64) -> Bool {
            headroom.allowsTrial(from: 1, ackTime: ackTime, at: now)
        }
        #expect(!allows(at: 0))
        #expect(!allows(at: 59 * Self.second))
        #expect(allows(at: 60 * Self.second))
        #expect(!allows(at: 61 * Self.second))
        #expect(!allows(ackTime: 8 * Self.second, at: 379 * Self.second))
        #expect(allows(ackTime: 8 * Self.second, at: 380 * Self.second))
    }

    /// The peer reports the round trip and the receiver's time, and may report anything.
    @Test(arguments: [0, 1, .max / 2, .max] as [Int64], [0, 1, .max / 2, .max] as [Int64])
    func absurdTimesOverflowNothing(roundTrip: Int64, receiver: Int64) {
        var headroom = Headroom()
        for _ in 0..<3 {
            headroom.add(ofOne: 5, roundTrip: roundTrip, receiver: receiver, cycle: 5)
            headroom.add(ofOne: 1 << 62, roundTrip: roundTrip, receiver: receiver, cycle: 1)
            headroom.add(ofOne: 5, roundTrip: roundTrip, cycle: 5, window: 2)
        }
        // Nothing is known of another window, so a trial of it is made.
        let isAllowed = headroom.allowsTrial(from: 64, ackTime: 5, at: 0)
        #expect(isAllowed)
    }
}
