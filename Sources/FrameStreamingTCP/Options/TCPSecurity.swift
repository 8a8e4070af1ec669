/// How connections are encrypted, and who may connect. A security product makes the values, such as
/// `FrameStreamingTLS`; ``TCPOptions/security`` takes them.
public struct TCPSecurity: Sendable, CustomStringConvertible {
    package let connections: any ConnectionSecurity

    package init(_ connections: any ConnectionSecurity) { self.connections = connections }

    /// The kind of security, without any secret.
    public var description: String { "\(connections)" }
}
