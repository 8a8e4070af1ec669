internal import FrameStreamingCore

/// When a picture is shown, and when it arrived.
struct MediaStamp: Hashable, Sendable {
    /// The time from the file's zero; nil = it is not stated.
    var time: Duration?
    /// For how long it is shown; nil = it is not stated.
    var duration: Duration?
    /// When its packet was read.
    var arrival: MonotonicTime
}
