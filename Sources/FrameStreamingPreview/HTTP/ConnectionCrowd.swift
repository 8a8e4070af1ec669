internal import FrameStreamingCore

/// Decides which connection ends for a newer one where there are too many.
enum ConnectionCrowd {
    /// Returns the index of the connection that has been longest in its phase, among those of the
    /// address that has the most, so that one address keeps no other out. Of several such addresses
    /// it is the longest of all.
    static func oldestOfMost(_ connections: [(client: ClientAddress, since: MonotonicTime)]) -> Int? {
        var counts: [ClientAddress: Int] = [:]
        for connection in connections { counts[connection.client, default: 0] += 1 }
        let most = counts.values.max()
        return connections.indices.filter { counts[connections[$0].client] == most }
            .min { connections[$0].since < connections[$1].since }
    }
}
