/// Whether this side of a connection sends or receives frames.
public struct TCPRole: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String { case sender, receiver }
    private let value: Value

    private init(value: Value) { self.value = value }

    /// This side sends frames.
    public static let sender = TCPRole(value: .sender)
    /// This side receives frames.
    public static let receiver = TCPRole(value: .receiver)

    /// The role's name.
    public var description: String { value.rawValue }

    var wireCode: UInt8 { self == .sender ? 1 : 2 }
}
