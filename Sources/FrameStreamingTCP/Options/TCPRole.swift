/// Whether this side of a connection sends or receives frames.
public enum TCPRole: String, Sendable, CustomStringConvertible {
    /// This side sends frames.
    case sender
    /// This side receives frames.
    case receiver

    /// The role's name.
    public var description: String { rawValue }

    var wireCode: UInt8 { self == .sender ? 1 : 2 }
}
