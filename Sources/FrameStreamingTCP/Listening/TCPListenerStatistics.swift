public import FrameStreamingCore
internal import FrameStreamingSystem

/// A listener's figures, of all its peers.
public struct TCPListenerStatistics: Hashable, Sendable {
    /// Peers that connected, whatever became of them.
    public internal(set) var accepted = 0
    /// Peers whose handshake failed, or that were refused during it.
    public internal(set) var failed = 0
    /// Connections at this moment whose peer has introduced itself, within a `serve`.
    public internal(set) var connections = 0
    /// Connections at this moment whose peer has not.
    public internal(set) var handshakes = 0
    /// How often peers reached a limit before their handshake was complete.
    public internal(set) var limits = LimitCounts()

    /// Nothing yet.
    public init() {}
}

/// Where the peers of a listener are counted.
final class ListenerCounts: Sendable {
    private let state = Monitor(TCPListenerStatistics())

    var figures: TCPListenerStatistics { state.withLock { $0 } }

    func change(_ body: (inout TCPListenerStatistics) -> Void) { state.withLock { body(&$0) } }
}
