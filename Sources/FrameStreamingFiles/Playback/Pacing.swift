/// How fast a source that could run at any speed hands out its frames.
public struct Pacing: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String { case realtime, maximum }
    private let value: Value

    private init(value: Value) { self.value = value }

    /// At the frame rate.
    public static let realtime = Pacing(value: .realtime)
    /// As fast as the frames are taken.
    public static let maximum = Pacing(value: .maximum)

    /// `realtime`, or `maximum` and its short form `max`; nil for anything else.
    public init?(name: String) {
        switch name.lowercased() {
        case "realtime": self = .realtime
        case "max", "maximum": self = .maximum
        default: return nil
        }
    }

    /// `realtime` or `maximum`.
    public var description: String { value.rawValue }
}
