/// A frame as a consumer gets it.
public struct ReceivedFrame: Sendable {
    /// The picture, decoded as requested; as it was received, if decoding was not requested.
    public let frame: Frame
    /// The picture as it was received, which a recorder can write without loss.
    public let encoded: Frame
    /// Its number on the connection, what was skipped before it, and times.
    public let info: FrameInfo
    /// When the frame was captured, translated to this machine's CLOCK_MONOTONIC; nil = not known.
    /// `frame.captureTime` is the stamp itself, on the clock of the machine that captured it.
    public let localCaptureTime: MonotonicTime?
    /// By how much ``localCaptureTime`` may be wrong, either way: the error of the sender's clock,
    /// and after a relay the error that the stamp already had. Nil where the time is not known.
    public let captureError: Duration?

    /// The picture's present age; nil if the peer gives no time that can be compared with ours.
    public var age: Duration? { localCaptureTime.map { $0.duration(to: .now) } }

    /// The same frame with other pictures, for a consumer that turns or crops what it has received.
    public func replacing(frame: Frame, encoded: Frame) -> ReceivedFrame {
        ReceivedFrame(
            frame: frame, encoded: encoded, info: info, localCaptureTime: localCaptureTime, captureError: captureError)
    }

    /// The frame as it was received, to be sent on by a relay. Nothing is encoded again.
    ///
    /// Its capture time is translated to this machine's clock, and its error includes that of the
    /// translation. If the capture time is not known here, the frame has none.
    public func forwarded() -> Frame {
        var frame = encoded
        frame.captureTime = localCaptureTime.map {
            CaptureTime($0, edge: encoded.captureTime?.edge ?? .unspecified, error: captureError ?? .zero)
        }
        return frame
    }
}
