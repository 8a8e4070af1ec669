/// How fast a source that could run at any speed hands out its frames.
public enum Pacing: String, Sendable, CustomStringConvertible {
    /// At the frame rate.
    case realtime
    /// As fast as the frames are taken.
    case maximum

    /// `realtime`, or `maximum` and its short form `max`; nil for anything else.
    public init?(name: String) {
        switch name.lowercased() {
        case "realtime": self = .realtime
        case "max", "maximum": self = .maximum
        default: return nil
        }
    }

    /// `realtime` or `maximum`.
    public var description: String { rawValue }
}
