import FrameStreamingCore
import Testing

@testable import FrameStreamingFiles

@Suite struct ArrivalMonitorTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func `a reader that always waits is never behind`() {
        var arrival = ArrivalMonitor(openedAt: at(0))
        for index in 0..<100 as Range<Int64> {
            arrival.begins(at: at(index * 33))
            arrival.waited(since: at(index * 33), at: at(index * 33 + 32))
            #expect(!arrival.isBehind)
            arrival.returned(withBytes: true, at: at(index * 33 + 33))
            #expect(arrival.readAt == at(index * 33 + 33))
        }
    }

    @Test func `after a pause it is behind until it has waited`() {
        var arrival = ArrivalMonitor(openedAt: at(0))
        arrival.begins(at: at(20))
        #expect(!arrival.isBehind)
        arrival.returned(withBytes: true, at: at(20))
        arrival.begins(at: at(41))
        #expect(arrival.isBehind)
        arrival.returned(withBytes: true, at: at(41))
        // Bytes that are there at once, and those that a program copies, waited too.
        for time in 42..<60 as Range<Int64> {
            arrival.begins(at: at(time))
            arrival.waited(since: at(time), at: at(time + 1))
            arrival.returned(withBytes: true, at: at(time + 1))
            #expect(arrival.isBehind)
        }
        arrival.begins(at: at(61))
        arrival.waited(since: at(61), at: at(63))
        #expect(!arrival.isBehind)
    }

    @Test func `a read in vain is no arrival, and no pause`() {
        var arrival = ArrivalMonitor(openedAt: at(0))
        for time in stride(from: 0, to: 500, by: 50) as StrideTo<Int64> {
            arrival.begins(at: at(time))
            arrival.waited(since: at(time), at: at(time + 50))
            arrival.returned(withBytes: false, at: at(time + 50))
        }
        #expect(!arrival.isBehind && arrival.readAt == at(0))
    }

    @Test func `a reader that begins late is behind`() {
        var arrival = ArrivalMonitor(openedAt: at(0))
        arrival.begins(at: at(5_000))
        #expect(arrival.isBehind)
    }
}
