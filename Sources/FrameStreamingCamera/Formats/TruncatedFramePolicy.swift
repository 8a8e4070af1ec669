/// What happens to a camera's JPEG frame without an end (EOI).
public enum TruncatedFramePolicy: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// The frame is dropped and counted.
    case drop
    /// The frame is delivered as it is.
    case pass
    /// The frame gets an EOI. A decoder shows the lines that arrived, and gray below them.
    case repair

    /// Parses `drop`, `pass` or `repair`, in any case. Returns nil for other text.
    public init?(name: String) { self.init(rawValue: name.lowercased()) }

    /// The policy's name: `drop`, `pass` or `repair`.
    public var description: String { rawValue }
}
