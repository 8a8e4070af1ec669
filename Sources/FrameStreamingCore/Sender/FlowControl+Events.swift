/// What goes in and what comes out.
extension FlowControl {
    /// What happened.
    public enum Event: Hashable, Sendable {
        /// There is a connection, whose receiver takes frames up to this number. Of the frames that were under way when the one before
        /// broke, the first `consumed` had been consumed.
        case connected(creditThrough: UInt64, consumed: Int = 0)
        /// The connection broke, and another may come.
        case disconnected
        /// The source gave a picture, captured then, which now stands last in the slot. Under `reliable` only while ``hasRoom``.
        case offered(captured: MonotonicTime)
        /// A picture that was taken is encoded, with these settings, after so many nanoseconds in the codec.
        case encoded(nanoseconds: Int64, bytes: Int, settings: EncodeSettings)
        /// The first of the pictures that were taken is sent, so many bytes long.
        case sent(bytes: Int)
        /// The first of the frames that were under way on the connection before is sent again.
        case resent(bytes: Int)
        /// The first of the pictures that were taken could not be encoded or sent; the connection goes on.
        case failed
        /// The receiver's word on a frame, and how long a small message and its answer take at present, in nanoseconds: nil = not known.
        case acknowledged(Acknowledgement, roundTrip: Int64? = nil)
        /// The receiver asked for no more pictures, or for pictures again.
        case paused, resumed
        /// The receiver asked for this quality: an adaptive one goes no higher from now on.
        case qualityWanted(Int)
        /// ``wakeAt`` has come.
        case tick
        /// A picture that the source gave found no room before the stream was ended.
        case abandoned
        /// Nothing more will be sent or heard.
        case ended
    }

    /// What is to be done, in this order.
    public struct Decision: Hashable, Sendable {
        /// The picture that was offered is left out, for the rate that the link allows: it does not stand in the slot.
        public var leavesOut = false
        /// So many pictures at the front of the slot are to be let go.
        public var drops = 0
        /// So many pictures at the front of the slot are to be taken and encoded.
        public var takes = 0
        /// The time from handing over the frame just acknowledged to its acknowledgement, in nanoseconds.
        public var ackTime: Int64?
    }
}
