/// What happens to a JPEG picture of a camera whose end is missing.
public struct TruncatedFramePolicy: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String { case drop, pass, repair }
    private let value: Value

    private init(value: Value) { self.value = value }

    /// It is dropped and counted.
    public static let drop = TruncatedFramePolicy(value: .drop)
    /// It is handed out as it is.
    public static let pass = TruncatedFramePolicy(value: .pass)
    /// It gets an end (EOI): decoders show what came, and gray below.
    public static let repair = TruncatedFramePolicy(value: .repair)

    /// `drop`, `pass` or `repair`; nil for anything else.
    public init?(name: String) {
        guard let value = Value(rawValue: name.lowercased()) else { return nil }
        self.value = value
    }

    /// `drop`, `pass` or `repair`.
    public var description: String { value.rawValue }
}
