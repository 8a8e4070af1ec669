internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Decides which connection ends for a newer one where there are too many.
enum ConnectionCrowd {
    /// Returns the index of the connection that has been longest in its phase, among those of the
    /// address that has the most, so that one address keeps no other out. Of several such addresses
    /// it is the longest of all.
    static func oldestOfMost(_ connections: [(client: PeerHost, since: MonotonicTime)]) -> Int? {
        let order = connections.indices.sorted { connections[$0].since < connections[$1].since }
        return PeerHost.firstOfMost(order.map { connections[$0].client }).map { order[$0] }
    }
}
