internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Counts how often a receiving connection has not read on, so that its sender had to wait.
final class HoldBacks: Sendable {
    private let state = Monitor(LimitCounts())

    var counts: LimitCounts { state.withLock { $0 } }

    func note(_ limit: PeerLimit) { state.withLock { $0.note(limit) } }
}
