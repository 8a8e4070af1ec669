internal import FrameStreamingCore

/// What a TCPTransport forwards to: one way of speaking over a connected socket.
protocol Connection: Sendable {
    var goodbye: String? { get }
    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError)
    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message?
    func finish(_ reason: String, until deadline: Deadline) throws(FrameStreamingError)
    func close()
}
