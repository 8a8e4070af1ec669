/// How a run of a sender went.
public struct SenderSummary: Sendable {
    /// What became of one receiver.
    public struct Receiver: Sendable {
        /// Who was at the other end, with its goodbye.
        public var peer: Peer
        /// What became of the pictures.
        public var statistics: SenderStatistics
        /// How it ended; nil while it has not.
        public var end: StreamEnd?
        /// What broke, where something did.
        public var failure: FrameStreamingError?
        /// How many connections were made, one after another; 0 while none was.
        public var connections: Int
        /// How many frames may be sent and not acknowledged, now.
        public var window: Int
        /// Whether the receiver has asked for no more pictures, and not for pictures again: then there are none, however well all is.
        public var isPaused: Bool
    }

    /// The receivers in the order they were added.
    public var receivers: [Receiver]

    /// The figures of receivers that left long ago: a summary names the last 64 that ended, and some more.
    public var retired: SenderStatistics

    /// A summary of these; of none, before there was one.
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
