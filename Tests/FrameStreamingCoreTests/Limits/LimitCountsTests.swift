import Testing

@testable import FrameStreamingCore

@Suite struct LimitCountsTests {
    @Test func countsAddUp() {
        var counts = LimitCounts()
        #expect(counts.isEmpty && PeerLimit.allCases.allSatisfy { counts[$0] == 0 })
        counts.note(nil)
        counts.note(.pixels, 0)
        counts.note(.pixels, -1)
        #expect(counts.isEmpty)
        counts.note(.pixels)
        counts.note(.scans, 2)
        let before = counts
        var more = LimitCounts()
        more.note(.scans, 3)
        counts.merge(more)
        #expect(counts[.pixels] == 1 && counts[.scans] == 5)
        #expect(counts.since(before) == more)
    }

    @Test func aSumStopsAtTheLargestNumber() {
        var counts = LimitCounts()
        counts.note(.memory, .max)
        counts.note(.memory)
        #expect(counts[.memory] == .max)
        counts.merge(counts)
        #expect(counts[.memory] == .max)
        #expect(counts.since(counts).isEmpty)
    }

    /// The names are keys of `--json` and labels of the metrics.
    @Test func namesAreWords() {
        for limit in PeerLimit.allCases {
            #expect(limit.description.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil, "\(limit)")
        }
    }

    @Test func anErrorKeepsItsLimit() {
        let error = FrameStreamingError(.limitExceeded, "too large", limit: .pixels)
        #expect(error.limit == .pixels && error.about("here").limit == .pixels)
        #expect(FrameStreamingError(.limitExceeded, "too large").limit == nil)
    }
}
