/// An event of a source.
@nonexhaustive
public enum SourceEvent: Sendable {
    /// A picture.
    case frame(Frame)
    /// The pictures stopped for this reason and may come back: a camera was unplugged. The stream
    /// goes on.
    case lost(error: FrameStreamingError)
    /// The pictures are back.
    case restored
    /// Frames were damaged and are left out: how many since the last such event, and the fault of
    /// the latest. The stream goes on.
    case damaged(count: Int, latest: FrameStreamingError)
}

/// A source of pictures: a camera, a file, a program.
///
/// It is used by one thread at a time, so a struct suffices. Each Frame has its format, which
/// may change from one to the next.
public protocol FrameSource: SendableMetatype {
    /// Whether the source makes pictures even if they are not taken, so that the newest
    /// counts. It decides the default policy.
    ///
    /// A source that does not know yet says false. The answer must be right once ``next(until:)``
    /// has returned the first frame: see `SenderOptions.init(for:window:encode:)`.
    var isLive: Bool { get }

    /// The next event, or nil at the end.
    ///
    /// - Parameter deadline: How long to wait for it. ``FrameSender`` calls with slices of 50 ms,
    ///   so that it can be cancelled: return or throw by then.
    /// - Throws: `timedOut` if there was no event by the deadline: nothing is lost, and the call is
    ///   made again. Any other error ends the stream, after the frames before it were delivered.
    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent?

    /// The goodbye to the receivers after ``next(until:)`` has returned nil; nil, the default, says
    /// that the stream is complete.
    var goodbye: Goodbye? { get }
}

extension FrameSource {
    /// The stream is complete.
    public var goodbye: Goodbye? { nil }
}
