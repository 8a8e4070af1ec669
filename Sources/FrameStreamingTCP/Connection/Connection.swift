internal import FrameStreamingCore
internal import FrameStreamingSystem

/// What a TCPTransport forwards to: one way of speaking over a connected socket.
protocol Connection: Sendable {
    var goodbye: Goodbye? { get }
    /// What was measured of the peer's clock so far; nil where nothing was, or nothing needs to be.
    var clock: ClockFilter.Estimate? { get }
    /// What a question and its answer take, in nanoseconds; nil where it is not known. Who reads it wants it measured.
    var roundTrip: Int64? { get }
    /// Bytes that frames which are not consumed may take now; nil where nobody counts them.
    var frameMemory: Int? { get }
    /// What the peer's kernel has confirmed.
    var deliveredBytes: UInt64? { get }
    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError)
    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message?
    func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError)
    func close()
}

/// One that can be listened to together with others: see `WatchedTransport`.
protocol WatchedConnection: Connection {
    /// The socket; nil once closed.
    var watched: Descriptor? { get }
    func receiveArrived(into messages: inout [Message]) throws(FrameStreamingError) -> WatchedNeeds?
}

extension Connection {
    /// The text handshake has no clock.
    var clock: ClockFilter.Estimate? { nil }

    /// Nor a question that is answered at once.
    var roundTrip: Int64? { nil }

    /// Of the text handshake's frames there is but one.
    var frameMemory: Int? { nil }

    /// Who receives delivers nothing.
    var deliveredBytes: UInt64? { nil }
}
