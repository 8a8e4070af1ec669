public import FrameStreamingCore

/// What happens to a live stream besides delivering frames, for a log.
public struct MediaEvent: Sendable, CustomStringConvertible {
    /// The kind of an event. A later version may add kinds.
    @nonexhaustive public enum Kind: String, Hashable, Sendable, CustomStringConvertible {
        /// The stream broke off. The next attempt to connect follows ``MediaEvent/retryAfter``.
        case lost
        /// An attempt to connect failed. The next one follows ``MediaEvent/retryAfter``.
        case stillLost
        /// The stream delivers frames again.
        case restored

        /// The kind's name.
        public var description: String { rawValue }
    }

    /// What happened.
    public let kind: Kind
    /// A description for people. Printable: a server's words in it are escaped.
    public let message: String
    /// The error that caused the event, if any.
    public let error: FrameStreamingError?
    /// The time until the next attempt; only with `lost` and `stillLost`.
    public let retryAfter: Duration?

    init(_ kind: Kind, _ message: String, error: FrameStreamingError? = nil, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = String(printable: message, limit: .max)
        self.error = error
        self.retryAfter = retryAfter
    }

    /// The event's ``message``.
    public var description: String { message }
}
