/// The figures of a sender's run.
public struct SenderSummary: Sendable {
    /// The figures of one receiver.
    public struct Receiver: Sendable {
        /// The peer, with its goodbye.
        public var peer: Peer
        /// What happened to the pictures.
        public var statistics: SenderStatistics
        /// How it ended; nil while it has not.
        public var end: StreamEnd?
        /// The error that ended it, if any.
        public var failure: FrameStreamingError?
        /// How many connections were made, one after another; 0 while none was.
        public var connections: Int
        /// How many frames may be sent and not acknowledged at present.
        public var window: Int
        /// The bits a second at which frames for this receiver aim at present; nil = as many as their
        /// quality needs, or there is no ``SenderOptions/bitRate``.
        public var targetBitRate: Int?
        /// Whether the receiver has paused the stream: then it gets no
        /// pictures, although nothing is wrong.
        public var isPaused: Bool
    }

    /// The receivers in the order they were added.
    public var receivers: [Receiver]

    /// The sum over receivers that left long ago: a summary lists at least the last 64 that ended.
    public var retired: SenderStatistics

    /// Makes a summary of these receivers.
    public init(receivers: [Receiver] = [], retired: SenderStatistics = SenderStatistics()) {
        self.receivers = receivers
        self.retired = retired
    }

    /// All receivers' figures together.
    public var total: SenderStatistics {
        var result = retired
        for receiver in receivers { result.merge(receiver.statistics) }
        return result
    }
}
