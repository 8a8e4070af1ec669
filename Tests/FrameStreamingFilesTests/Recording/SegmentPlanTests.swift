import FrameStreamingCore
import FrameStreamingFiles
import Testing

@Suite struct SegmentPlanTests {
    private func time(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(seconds * 1e9)) }

    @Test func `a segment ends after its time, with a frame that stands alone`() {
        var plan = SegmentPlan(duration: .seconds(10), byteCount: nil)
        var begins: [Int] = []
        var asks: [Int] = []
        for number in 0..<1_000 {
            // Ten a second; a key frame when one was asked for, half a second later.
            let isKey = asks.last.map { number == $0 + 5 } ?? (number == 0)
            switch plan.next(byteCount: 100, standsAlone: isKey, at: time(Double(number) / 10)) {
            case .goesOn: break
            case .asksForKeyFrame: asks.append(number)
            case .begins:
                #expect(isKey)
                begins.append(number)
            }
        }
        #expect(begins == asks.filter { $0 < 995 }.map { $0 + 5 } && begins.count == 9)
        #expect(begins[0] == 105 && begins[1] == 210)
    }

    @Test func `frames without memory begin a segment at once`() {
        var plan = SegmentPlan(duration: .seconds(1), byteCount: 1_000)
        let begins = (0..<100).filter {
            plan.next(byteCount: 100, standsAlone: true, at: time(Double($0) / 30)) == .begins
        }
        // Ten frames have 1000 bytes, and 30 frames a second.
        #expect(begins == Array(stride(from: 10, to: 100, by: 10)))
        plan.ended()
        #expect(plan.next(byteCount: 999, standsAlone: true, at: time(9)) == .goesOn)
        #expect(plan.next(byteCount: .max, standsAlone: true, at: time(9)) == .begins)
        #expect(plan.next(byteCount: .max, standsAlone: false, at: time(9)) == .begins)
    }

    @Test func `without a frame that stands alone a segment has twice its bytes at most`() {
        var plan = SegmentPlan(duration: nil, byteCount: 1_000)
        var (steps, size): ([SegmentPlan.Step], Int) = ([], 0)
        for number in 0..<200 {
            let step = plan.next(byteCount: 100, standsAlone: number == 0, at: time(Double(number) / 30))
            size = step == .begins ? 100 : size + 100
            #expect(size <= 2_100)
            steps.append(step)
        }
        #expect(steps.contains(.begins) && steps.contains(.asksForKeyFrame))
        var none = SegmentPlan(duration: nil, byteCount: nil)
        #expect(!none.hasLimit)
        for number in 0..<100 {
            #expect(none.next(byteCount: .max, standsAlone: true, at: time(Double(number) * 1e6)) == .goesOn)
        }
    }

    @Test func `the oldest recordings are removed, and never one that still grows`() {
        var kept = KeptRecordings(maximumByteCount: 1_000)
        #expect(kept.grows("a", by: 400).isEmpty && kept.ends("a", with: 420).isEmpty)
        #expect(kept.grows("b", by: 400).isEmpty && kept.ends("b", with: 400).isEmpty)
        #expect(kept.grows("c", by: 100).isEmpty && kept.byteCount == 920)
        #expect(kept.grows("c", by: 100) == ["a"] && kept.byteCount == 600)
        #expect(kept.grows("c", by: 900) == ["b"] && kept.grows("c", by: 900).isEmpty)
        #expect(kept.ends("c", with: 1_900) == ["c"] && kept.byteCount == 0)
        #expect(kept.grows("d", by: .max).isEmpty && kept.grows("d", by: .max).isEmpty && kept.byteCount == .max)
    }
}
