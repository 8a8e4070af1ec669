import Testing

@testable import FrameStreamingCore

@Suite struct BitRateControlTests {
    private static func time(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000 * milliseconds)
    }

    /// A control whose source gives a picture every 40 ms, up to the time 400.
    private static func control(_ rate: BitRate) -> BitRateControl {
        var control = BitRateControl(rate)
        for number in 0...10 { control.offered(at: time(40 * Int64(number))) }
        return control
    }

    @Test func aFrameHasTheBytesOfItsTime() {
        var control = Self.control(.fixed(2_000_000))
        #expect(control.target(standsAlone: false, at: Self.time(400)) == 10_000)
        #expect(control.target(standsAlone: true, at: Self.time(400)) == 30_000)
        control.encoded(bytes: 10_000)
        #expect(control.target(standsAlone: false, at: Self.time(440)) == 10_000)
    }

    @Test func theNextFramesPayForOneThatWasTooLarge() {
        var control = Self.control(.fixed(2_000_000))
        _ = control.target(standsAlone: true, at: Self.time(400))
        control.encoded(bytes: 24_000)
        var targets: [Int] = []
        var total = 24_000
        for number in 1...5 {
            let target = control.target(standsAlone: false, at: Self.time(400 + 40 * Int64(number))) ?? 0
            control.encoded(bytes: target)
            total += target
            targets.append(target)
        }
        // Never less than a quarter, and 24,000 + 2,500 + 2,500 + ... until all is paid.
        #expect(targets == [2_500, 3_500, 10_000, 10_000, 10_000], "\(targets)")
        #expect(total == 60_000)
    }

    @Test func whatIsNotUsedIsNotSaved() {
        var control = Self.control(.fixed(2_000_000))
        _ = control.target(standsAlone: false, at: Self.time(400))
        control.encoded(bytes: 100)
        #expect(control.target(standsAlone: false, at: Self.time(4_000)) == 10_000)
    }

    @Test func aLinkIsLearntFromFramesThatMadeOthersWait() throws {
        var control = Self.control(.automatic)
        #expect(control.target(standsAlone: true, at: Self.time(400)) == BitRateControl.firstBytes)
        control.encoded(bytes: 40_000)
        var other = control
        // Nothing has waited so far.
        #expect(other.target(standsAlone: false, at: Self.time(440)) == nil)
        control.limited(at: Self.time(450))
        let word = Acknowledgement(sequence: 1, creditThrough: 16)
        // 40,000 bytes took 160 ms: 250,000 bytes a second.
        control.acknowledged(
            word, bytes: 40_000, sentAt: Self.time(400), roundTrip: nil, mayGrow: false,
            at: Self.time(560))
        #expect(control.bytesPerSecond(at: Self.time(560)).map { abs($0 - 212_500) < 1 } == true)
        let wanted = control.target(standsAlone: false, at: Self.time(560))
        let target = try #require(wanted)
        // It owes what the link has not carried since: 40,000 less 34,000.
        #expect((2_400...2_600).contains(target), "\(target)")
        control.reset()
        #expect(control.bytesPerSecond(at: Self.time(600)) == nil)
        #expect(control.target(standsAlone: true, at: Self.time(600)) == BitRateControl.firstBytes)
    }

    /// Frames of 10,000 bytes that made others wait, one right behind another.
    private struct Busy {
        var rate = SustainedRate()
        var now: Int64 = 0

        mutating func frame(milliseconds: Int64, after pause: Int64 = 0, waits: Bool = true) {
            let sent = now + pause * 1_000_000
            if waits { rate.limited(at: sent + 1) }
            var word = Acknowledgement(sequence: 1, creditThrough: 16)
            now = sent + milliseconds * 1_000_000
            word.arrivalTime = MonotonicTime(nanoseconds: now)
            word.consumedTime = word.arrivalTime
            rate.acknowledged(word, bytes: 10_000, sentAt: sent, roundTrip: 0, at: now)
        }

        var bytesPerSecond: Double { rate.bytesPerSecond(at: now) ?? 0 }
    }

    /// Two late frames in a row are no hiccup.
    @Test func aSlowerLinkIsNoticedWithTheSecondFrame() {
        var busy = Busy()
        for _ in 0..<5 { busy.frame(milliseconds: 10) }
        busy.frame(milliseconds: 100)
        #expect(busy.bytesPerSecond > 900_000)
        busy.frame(milliseconds: 100)
        #expect(busy.bytesPerSecond <= 110_000)
    }

    /// A shaper lets a burst through behind a pause, which is no faster link.
    @Test func aBurstBehindAPauseRaisesNothing() {
        var busy = Busy()
        for _ in 0..<5 { busy.frame(milliseconds: 40) }
        #expect(busy.bytesPerSecond == 250_000)
        for _ in 0..<5 { busy.frame(milliseconds: 2, after: 38, waits: false) }
        #expect(busy.bytesPerSecond < 260_000)
        for _ in 0..<5 { busy.frame(milliseconds: 2, after: 38) }
        #expect(busy.bytesPerSecond < 270_000)
    }

    @Test func aLinkThatMakesNothingWaitIsTriedOut() {
        var busy = Busy()
        for _ in 0..<5 { busy.frame(milliseconds: 40) }
        let before = busy.bytesPerSecond
        func after(_ seconds: Int64) -> Double {
            (busy.rate.bytesPerSecond(at: busy.now + seconds * 1_000_000_000) ?? 0) / before
        }
        #expect((1.05...1.1).contains(after(1)) && (2...2.2).contains(after(5)) && (7...8).contains(after(10)))
    }

    @Test func numbersOutOfRangeAreRefused() {
        for bits in [Int.min, -1, 0, 7_999, 10_000_000_001, .max] {
            var options = SenderOptions()
            options.bitRate = .fixed(bits)
            #expect(throws: FrameStreamingError.self) { _ = try FlowControl(options) }
        }
    }

    @Test func theExtremesAreHarmless() {
        var control = Self.control(.fixed(BitRate.largest))
        control.encoded(bytes: .max)
        control.encoded(bytes: .max)
        control.encoded(bytes: -5)
        #expect(control.target(standsAlone: true, at: MonotonicTime(nanoseconds: .max)) != nil)
        #expect(control.target(standsAlone: true, at: MonotonicTime(nanoseconds: 0)) != nil)
        var other = BitRateControl(.automatic)
        other.offered(at: MonotonicTime(nanoseconds: 0))
        other.offered(at: MonotonicTime(nanoseconds: 1))
        other.limited(at: MonotonicTime(nanoseconds: 5))
        let word = Acknowledgement(sequence: 1, creditThrough: 16)
        other.acknowledged(
            word, bytes: .max, sentAt: MonotonicTime(nanoseconds: 3), roundTrip: .min, mayGrow: true,
            at: MonotonicTime(nanoseconds: 4))
        #expect((other.target(standsAlone: false, at: MonotonicTime(nanoseconds: 9)) ?? 1) >= 1)
    }
}
