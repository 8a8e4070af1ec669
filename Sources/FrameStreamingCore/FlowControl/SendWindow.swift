/// How many frames may be sent and not acknowledged. A larger window hides the round
/// trip, but adds age on a slow link.
public struct SendWindow: Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    enum Value: Hashable { case fixed(Int), adaptive(latencyTarget: Duration) }
    let value: Value

    private init(value: Value) { self.value = value }

    var isAdaptive: Bool {
        if case .adaptive = value { true } else { false }
    }

    /// A constant number, at least 1. With 1 each frame waits for the
    /// acknowledgement of the one before.
    public static func fixed(_ frames: Int) -> SendWindow { SendWindow(value: .fixed(frames)) }

    /// As many as the link needs. While pictures have to wait, one more is tried, and kept if more
    /// pictures arrive. It shrinks as soon as acknowledgements are later than those of single
    /// frames by more than `latencyTarget`.
    public static func adaptive(latencyTarget: Duration) -> SendWindow {
        SendWindow(value: .adaptive(latencyTarget: latencyTarget))
    }

    /// Adaptive, with frames that are delayed by 20 ms at most.
    public static let adaptive = SendWindow.adaptive(latencyTarget: .milliseconds(20))

    /// A fixed window: `window: 4`.
    public init(integerLiteral frames: Int) { self = .fixed(frames) }

    /// `4` or `adaptive`.
    public var description: String {
        switch value {
        case .fixed(let frames): "\(frames)"
        case .adaptive: "adaptive"
        }
    }
}
