import FrameStreamingCore
import Testing

@testable import FrameStreamingFiles

@Suite struct FilmTimelineTests {
    private static let second: Int64 = 1_000_000_000

    /// Stamps of frames that arrive when they are captured, plus a delay.
    private func stamps(_ captures: [Int64?], arrivals: [Int64]) -> [Int64] {
        var timeline = FilmTimeline()
        return zip(captures, arrivals).map { capture, arrival in
            timeline.stamp(
                capture.map { CaptureTime(nanoseconds: $0) }, arrival: MonotonicTime(nanoseconds: arrival))
        }
    }

    @Test func `stamps are capture times since the first, to the microsecond`() {
        let captures: [Int64] = [7_000_000_400, 7_033_333_333, 7_033_334_333, 8_000_000_899, 8_000_000_900]
        let stamps = stamps(captures, arrivals: captures.map { $0 + 50_000_000 })
        #expect(stamps == [0, 33_333, 33_334, 1_000_000, 1_000_001])
    }

    @Test func `frames that arrive in a burst keep their times`() {
        let captures = (0..<50).map { 5 * Self.second + Int64($0) * 33_333_333 }
        let arrivals = (0..<50).map { 40 * Self.second + Int64($0) }
        let stamps = stamps(captures, arrivals: arrivals)
        #expect(stamps == (0..<50).map { ($0 * 33_333_333 + 500) / 1_000 })
    }

    @Test func `times that repeat or step back a little ascend, and the next is right again`() {
        let start = Self.second
        let stamps = stamps(
            [start, start, start - 10, start + 5_000_000, start + 4_000_000, start + 9_000_000],
            arrivals: (0..<6).map { start + $0 })
        #expect(stamps == [0, 1, 2, 5_000, 5_001, 9_000])
    }

    @Test func `times of another clock go on by the time that has passed here`() {
        let day = 86_400 * Self.second
        for jump in [day, -day, 90 * 365 * day] {
            let captures = [day, day + 33_000_000, day + 66_000_000 + jump, day + 99_000_000 + jump]
            let arrivals = (0..<4).map { 10 * Self.second + Int64($0) * 40_000_000 }
            let stamps = stamps(captures, arrivals: arrivals)
            #expect(stamps == [0, 33_000, 73_000, 106_000])
        }
        // A pause of a day is none: it has passed here, too.
        #expect(stamps([day, 2 * day], arrivals: [day, 2 * day]) == [0, 86_400_000_000])
    }

    @Test func `a frame without a time gets that of its arrival, as late as the one before`() {
        let start = 100 * Self.second
        let arrivals = (0..<4).map { start + Int64($0) * 100_000_000 }
        #expect(stamps([nil, nil, nil, nil], arrivals: arrivals) == [0, 100_000, 200_000, 300_000])
        // Captured 80 ms before they arrive.
        let mixed = [arrivals[0] - 80_000_000, nil, arrivals[2] - 80_000_000, nil]
        #expect(stamps(mixed, arrivals: arrivals) == [0, 100_000, 200_000, 300_000])
        var timeline = FilmTimeline()
        let realtime = CaptureTime(nanoseconds: 1, clock: .realtime)
        #expect(timeline.stamp(realtime, arrival: MonotonicTime(nanoseconds: 5)) == 0)
        #expect(timeline.stamp(realtime, arrival: MonotonicTime(nanoseconds: 2_005)) == 2)
    }

    @Test func `any times of a peer give ascending stamps`() {
        let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max, 1 << 40, -(1 << 40)]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var timeline = FilmTimeline()
            var last: Int64?
            var arrival: Int64 = 0
            for _ in 0..<50 {
                arrival += Int64.random(in: 0..<100_000_000)
                let time = CaptureTime(nanoseconds: extremes.randomElement(using: &generator) ?? 0)
                let stamp = timeline.stamp(
                    Bool.random() ? time : nil, arrival: MonotonicTime(nanoseconds: arrival))
                #expect(stamp > last ?? -1)
                #expect(stamp <= 8_000_000 + 60_000_000 * 50)
                last = stamp
            }
        }
    }
}
