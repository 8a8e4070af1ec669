/// How long a ``FrameReceiver`` waits for a sender that sends no usable frames.
public struct ReceiverLimits: Hashable, Sendable {
    /// How many frames in a row may fail to decode, before the stream is ended with a goodbye that
    /// has the reason; 0 = any number.
    ///
    /// A sender of this package sends no damaged frames, so a long row means frames that this side
    /// will never decode: too large, or made to be costly. A burst of damage on a camera's own way
    /// is over in seconds: 300 frames are 10 s at 30 a second.
    public var maximumDecodeFailures = 300
    /// How long the sender may send no frame although it has credit, before the stream is ended with
    /// a goodbye that has the reason; nil, the default, = for ever, because a live source may rest.
    ///
    /// Time in which the consumer has a frame, or frames wait for it, does not count.
    public var idleTimeout: Duration?

    /// Creates the default limits.
    public init() {}

    /// Returns the limits if they are valid.
    ///
    /// - Throws: `invalidArgument`.
    func validated() throws(FrameStreamingError) -> ReceiverLimits {
        guard maximumDecodeFailures >= 0 else {
            throw FrameStreamingError(
                .invalidArgument,
                "maximumDecodeFailures must be at least 0, not \(maximumDecodeFailures): 0 permits any number")
        }
        if let idleTimeout, idleTimeout <= .zero {
            throw FrameStreamingError(.invalidArgument, "idleTimeout must be above 0: leave it nil to wait for ever")
        }
        return self
    }
}

extension ReceiverLimits {
    /// The error for too many frames in a row that did not decode.
    ///
    /// - Parameter last: Why the last of them did not.
    static func undecodable(_ count: Int, last: FrameStreamingError, from peer: String) -> FrameStreamingError {
        FrameStreamingError(
            .limitExceeded,
            "\(count) frames in a row did not decode, and that is the receiver's limit: correct the sender's frames, or raise the limit (ReceiverLimits.maximumDecodeFailures); the last: \(last.message)",
            subject: peer, limit: .decodeFailures)
    }

    /// The error for a sender that sends no frame.
    static func idle(_ time: Duration, from peer: String) -> FrameStreamingError {
        FrameStreamingError(
            .limitExceeded,
            "the sender sent no frame for \(time), and that is the receiver's limit: look at its source, or allow more time (ReceiverLimits.idleTimeout)",
            subject: peer, limit: .idleTime)
    }
}
