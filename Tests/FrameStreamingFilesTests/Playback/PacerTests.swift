import FrameStreamingCore
import FrameStreamingFiles
import Testing

@Suite struct PacerTests {
    @Test func `the times follow from the start, whenever the frames were taken`() throws {
        let rate = try #require(FrameRate("29.97"))
        var pacer = Pacer(rate: rate)
        let start = MonotonicTime(nanoseconds: 5_000_000_000)
        for index in 0..<100 as Range<UInt64> {
            let expected = start.advanced(by: .nanoseconds(rate.nanoseconds(ofFrame: index)))
            // Late by up to half a second, which is caught up.
            let due = pacer.due(now: index == 0 ? start : expected.advanced(by: .milliseconds(Int(index) * 5)))
            #expect(due == expected)
            pacer.handedOut()
        }
    }

    @Test func `asking twice changes nothing`() {
        var pacer = Pacer(rate: .thirty)
        let start = MonotonicTime(nanoseconds: 7)
        #expect(pacer.due(now: start) == start)
        #expect(pacer.due(now: start.advanced(by: .milliseconds(1))) == start)
    }

    @Test func `more than a second behind, it restarts instead of bursting`() {
        var pacer = Pacer(rate: .thirty)
        let start = MonotonicTime(nanoseconds: 0)
        _ = pacer.due(now: start)
        pacer.handedOut()
        let late = start.advanced(by: .seconds(10))
        #expect(pacer.due(now: late) == late)
        pacer.handedOut()
        #expect(pacer.due(now: late).since(late) == .nanoseconds(33_333_333))
    }
}
