/// What the flow control knows about one frame that was sent and is not acknowledged.
///
/// The session keeps the list of them; the flow control makes each and gets it back with its
/// acknowledgement.
struct Flight: Hashable, Sendable {
    /// The frame's number on its connection.
    var sequence: UInt64
    var bytes: Int
    /// When it was handed to the connection.
    var sent: MonotonicTime
    /// Frames in flight when it was sent, without it.
    var ahead: Int
    /// When the acknowledgement that made room for it arrived; nil = it did not wait for one.
    var opened: Int64?
    /// Whether a frame had to wait for the window before this one was sent.
    var waited = false
}
