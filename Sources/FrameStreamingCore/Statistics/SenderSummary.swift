/// How a run of a sender went.
public struct SenderSummary: Sendable {
    /// One connection's part.
    public struct Connection: Sendable {
        /// Who was at the other end, with its goodbye.
        public var peer: Peer
        /// What became of the pictures.
        public var statistics: SenderStatistics
        /// How it ended; nil while it has not.
        public var end: StreamEnd?
        /// What broke, where something did.
        public var failure: FrameStreamingError?
    }

    /// The connections in the order they were given.
    public var connections: [Connection]

    /// A summary of these; of none, before there was one.
    public init(connections: [Connection] = []) { self.connections = connections }

    /// All connections' figures together.
    public var total: SenderStatistics {
        var result = SenderStatistics()
        for connection in connections { result.merge(connection.statistics) }
        return result
    }
}
