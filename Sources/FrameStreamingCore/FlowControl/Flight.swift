/// What the flow control knows of one frame that was sent and not acknowledged.
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
    /// When the acknowledgement came that made room for it; nil = it did not have to wait for one.
    var opened: Int64?
    /// Whether a frame had to wait for the window before this one was sent.
    var waited = false
}
