internal import FrameStreamingCore
internal import FrameStreamingSystem

/// One protocol on a connected socket. A TCPTransport forwards its calls to it.
protocol Connection: Sendable {
    var goodbye: Goodbye? { get }
    /// The estimate of the peer's clock; nil if nothing was measured yet.
    var clock: ClockFilter.Estimate? { get }
    /// The round trip in nanoseconds; nil if it is not known. The first read starts the
    /// measurement.
    var roundTrip: Int64? { get }
    /// Bytes that unconsumed frames may take now; nil if they are not counted.
    var frameMemory: Int? { get }
    /// Bytes that the peer's kernel has confirmed; nil if they are not counted.
    var deliveredBytes: UInt64? { get }
    /// How often this side has held its sender back; nil for a sender.
    var holdBacks: HoldBacks? { get }
    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError)
    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message?
    func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError)
    func close()
}

/// A connection that one thread can poll together with others: see `WatchedTransport`.
protocol WatchedConnection: Connection {
    /// The socket; nil once closed.
    var watched: Descriptor? { get }
    func receiveArrived(into messages: inout [Message]) throws(FrameStreamingError) -> WatchedNeeds?
}

extension Connection {
    /// Nil: the text handshake has no clock.
    var clock: ClockFilter.Estimate? { nil }

    /// Nil: the text handshake has no message that is answered at once.
    var roundTrip: Int64? { nil }

    /// Nil: the text handshake has only one frame at a time.
    var frameMemory: Int? { nil }

    /// Nil: a receiver sends no frames.
    var deliveredBytes: UInt64? { nil }

    /// Nil: a sender reads small messages only.
    var holdBacks: HoldBacks? { nil }
}
