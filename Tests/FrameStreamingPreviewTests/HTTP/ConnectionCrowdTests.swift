import FrameStreamingCore
import FrameStreamingSystem
import Testing

@testable import FrameStreamingPreview

@Suite struct ConnectionCrowdTests {
    /// - Parameter connections: Numbers of addresses, and seconds.
    private func oldest(_ connections: [(UInt32, Int64)]) -> Int? {
        ConnectionCrowd.oldestOfMost(
            connections.map { (PeerHost(four: $0), MonotonicTime(nanoseconds: $1 * 1_000_000_000)) })
    }

    @Test func theAddressWithTheMostLosesItsOldest() {
        #expect(oldest([]) == nil)
        #expect(oldest([(1, 5)]) == 0)
        // The oldest of all is another address's only one.
        #expect(oldest([(1, 1), (2, 9), (2, 7), (2, 8)]) == 2)
        #expect(oldest([(1, 3), (2, 4), (1, 2), (2, 5), (3, 1)]) == 2)
    }
}
