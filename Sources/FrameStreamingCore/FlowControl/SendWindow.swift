/// How many frames may be sent and not acknowledged: more hides the round trip and adds age on a slow link.
public struct SendWindow: Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    enum Value: Hashable { case fixed(Int), adaptive(latencyTarget: Duration) }
    let value: Value

    private init(value: Value) { self.value = value }

    var isAdaptive: Bool {
        if case .adaptive = value { true } else { false }
    }

    /// So many, at least 1, whatever the link is like. 1 waits for each acknowledgement.
    public static func fixed(_ frames: Int) -> SendWindow { SendWindow(value: .fixed(frames)) }

    /// As many as the link needs: one more is tried while pictures have to wait and kept where that makes more of them arrive;
    /// less as soon as acknowledgements come later, by more than `latencyTarget`, than the fastest did.
    public static func adaptive(latencyTarget: Duration) -> SendWindow {
        SendWindow(value: .adaptive(latencyTarget: latencyTarget))
    }

    /// Adaptive, with frames that are held up by 20 ms at most.
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
