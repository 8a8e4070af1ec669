public import FrameStreamingCore

/// What happens to a camera besides delivering frames, for a log.
public struct CameraEvent: Sendable, CustomStringConvertible {
    /// The kind of an event. A later version may add kinds.
    @nonexhaustive public enum Kind: String, Hashable, Sendable, CustomStringConvertible {
        /// The camera streams. ``CameraEvent/granted`` says what it delivers.
        case opened
        /// libv4lconvert converts each frame, because this package reads none of the camera's
        /// formats.
        case converting
        /// Streaming was stopped and started again. ``CameraEvent/error`` says why.
        case restarted
        /// The camera is lost. The next attempt to open it follows ``CameraEvent/retryAfter``.
        case lost
        /// An attempt to open the lost camera failed. The next one follows
        /// ``CameraEvent/retryAfter``.
        case stillLost
        /// The camera delivers frames again.
        case restored
        /// The driver refused the value of a control. The camera streams nevertheless.
        case controlRefused
        /// The driver dropped ``CameraEvent/frameCount`` frames since the last such event. Sent at
        /// most once a second.
        case dropped
        /// ``CameraEvent/frameCount`` frames since the last such event were truncated, short,
        /// marked as suspect by the driver, or inconsistent. Sent at most once a second.
        case damaged

        /// The kind's name.
        public var description: String { rawValue }
    }

    /// What happened.
    public let kind: Kind
    /// A description for people. Printable: the device's words in it are escaped.
    public let message: String
    /// The error that caused the event, if any.
    public let error: FrameStreamingError?
    /// What the camera delivers; only with `opened` and `restored`.
    public let granted: CameraFormat?
    /// The time until the next attempt to open the camera, 0.25 s to 5 s; only with `lost` and
    /// `stillLost`.
    public let retryAfter: Duration?
    /// The number of frames; only with `dropped` and `damaged`.
    public let frameCount: Int?

    package init(
        _ kind: Kind, _ message: String, error: FrameStreamingError? = nil, granted: CameraFormat? = nil,
        retryAfter: Duration? = nil, frameCount: Int? = nil
    ) {
        self.kind = kind
        // It holds names that the device chose, and a device can be hostile.
        self.message = String(printable: message, limit: .max)
        self.error = error
        self.granted = granted
        self.retryAfter = retryAfter
        self.frameCount = frameCount
    }

    /// The event's ``message``.
    public var description: String { message }
}
