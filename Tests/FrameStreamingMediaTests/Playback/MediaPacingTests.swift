import FrameStreamingCore
import Testing

@testable import FrameStreamingMedia

@Suite struct MediaPacingTests {
    private let start = MonotonicTime(nanoseconds: 5_000_000_000)

    /// When pictures with these stamps (and durations) in milliseconds are due, in milliseconds after
    /// the first, if each is asked for at once.
    private func due(
        _ stamps: [Int?], durations: [Int?] = [], rate: FrameRate? = nil, mayJump: Bool = false,
        jumpsBefore: Set<Int> = []
    ) -> [Int64] {
        var pacing = MediaPacing(rate: rate, mayJump: mayJump)
        return stamps.enumerated().map { index, stamp in
            if jumpsBefore.contains(index) { pacing.jumps() }
            let stamp = MediaStamp(
                time: stamp.map { .milliseconds($0) },
                duration: index < durations.count ? durations[index].map { .milliseconds($0) } : nil, arrival: start)
            let due = pacing.due(stamp, now: start)
            pacing.handedOut(stamp)
            return due.since(start).wholeNanoseconds / 1_000_000
        }
    }

    @Test func `a rate that varies is kept`() {
        #expect(due([700, 710, 900, 901, 60_000]) == [0, 10, 200, 201, 59_300])
    }

    @Test func `a stamp that goes back follows what was before it`() {
        #expect(due([100, 140, 20, 60], durations: [40, 40, 40, 40]) == [0, 40, 80, 120])
        #expect(due([100, 150, 20, 60]) == [0, 50, 100, 140])
    }

    @Test func `a new schedule begins at once`() {
        var pacing = MediaPacing(rate: nil, mayJump: false)
        for time in [0, 40, 80] {
            pacing.handedOut(MediaStamp(time: .milliseconds(time), duration: nil, arrival: start))
        }
        pacing.restarts()
        let later = start.advanced(by: .seconds(100))
        let stamp = MediaStamp(time: .milliseconds(20), duration: nil, arrival: start)
        #expect(pacing.due(stamp, now: later) == later)
    }

    @Test func `missing stamps have the usual rate`() {
        #expect(due([nil, nil, nil], rate: FrameRate(50)) == [0, 20, 40])
        #expect(due([nil, nil]) == [0, 40])
        #expect(due([0, nil, 100], durations: [30, 30, 30]) == [0, 30, 60])
    }

    @Test func `absurd stamps cost one picture's time`() {
        let year = 366 * 86_400_000
        #expect(due([0, 100 * year, -100 * year, 0], durations: [10, 10, 10, 10]) == [0, 10, 20, 30])
        #expect(due([0, 1], durations: [100 * year]) == [0, 1])
        #expect(due([0, -1], durations: [100 * year]) == [0, 40])
    }

    @Test func `a film may show one picture for an hour, and a broadcast for ten seconds`() {
        #expect(due([0, 3_600_000]) == [0, 3_600_000] && due([0, 3_600_001]) == [0, 40])
        #expect(due([0, 10_000], mayJump: true) == [0, 10_000] && due([0, 10_001], mayJump: true) == [0, 40])
    }

    @Test func `a loop goes on when the last picture has had its time`() {
        #expect(due([0, 40, 0, 40], durations: [40, 25, 40, 25], jumpsBefore: [2]) == [0, 40, 65, 105])
        // Even if the film seems to go on.
        #expect(due([0, 40, 100, 140], durations: [40, 25, 40, 25], jumpsBefore: [2]) == [0, 40, 65, 105])
    }

    @Test func `no error adds up`() {
        var pacing = MediaPacing(rate: nil, mayJump: false)
        var last = start
        for index in 0..<100_000 {
            let time = Duration.nanoseconds(Int64(index) * 1_001_000_000 / 30_000)
            let stamp = MediaStamp(time: time, duration: nil, arrival: start)
            last = pacing.due(stamp, now: last)
            pacing.handedOut(stamp)
        }
        #expect(last.since(start).wholeNanoseconds == 99_999 * 1_001_000_000 / 30_000)
    }

    @Test func `what is late by more than a second begins a new schedule`() {
        var pacing = MediaPacing(rate: nil, mayJump: false)
        func at(_ milliseconds: Int64, _ stamp: Int) -> Int64 {
            let stamp = MediaStamp(time: .milliseconds(stamp), duration: nil, arrival: start)
            let due = pacing.due(stamp, now: start.advanced(by: .milliseconds(milliseconds)))
            pacing.handedOut(stamp)
            return due.since(start).wholeNanoseconds / 1_000_000
        }
        #expect([at(0, 0), at(1040, 40), at(1041, 80), at(3000, 120), at(3000, 160)] == [0, 40, 80, 3000, 3040])
    }
}
