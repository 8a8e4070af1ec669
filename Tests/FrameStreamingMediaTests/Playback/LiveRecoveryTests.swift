import FrameStreamingCore
import Testing

@testable import FrameStreamingMedia

@Suite struct LiveRecoveryTests {
    private let start = MonotonicTime(nanoseconds: 1)
    private func at(_ milliseconds: Int) -> MonotonicTime { start.advanced(by: .milliseconds(milliseconds)) }

    @Test func `what never worked fails`() {
        var recovery = LiveRecovery(isEnabled: true, at: start)
        let first = recovery.failed(at: at(1))
        recovery.connected(at: at(2))
        #expect(first == .end && recovery.failed(at: at(3)) == .end && recovery.retryAt == nil)
    }

    @Test func `attempts are made after twice as long each time, up to five seconds`() {
        var recovery = LiveRecovery(isEnabled: true, at: start)
        var returned = [recovery.delivers(at: at(10))]
        var verdicts = [recovery.failed(at: at(20))]
        #expect(recovery.retryAt == at(270))
        for time in 0..<6 { verdicts.append(recovery.failed(at: at(1000 * time))) }
        let pauses = [500, 1000, 2000, 4000, 5000, 5000]
        #expect(
            verdicts == [.lost(retryAfter: .milliseconds(250))]
                + pauses.map { .stillLost(retryAfter: .milliseconds($0)) })
        recovery.connected(at: at(60_000))
        returned += [recovery.delivers(at: at(60_010)), recovery.delivers(at: at(60_020))]
        #expect(returned == [false, true, false] && recovery.retryAt == nil)
        // It broke at once, so the pauses go on.
        #expect(recovery.failed(at: at(60_100)) == .lost(retryAfter: .seconds(5)))
        recovery.connected(at: at(70_000))
        _ = recovery.delivers(at: at(75_000))
        #expect(recovery.failed(at: at(75_001)) == .lost(retryAfter: .milliseconds(250)))
    }

    @Test func `a break is the end where that is wanted`() {
        var recovery = LiveRecovery(isEnabled: false, at: start)
        _ = recovery.delivers(at: start)
        #expect(recovery.failed(at: at(1)) == .end)
    }
}
