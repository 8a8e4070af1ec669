package import FrameStreamingSystem

/// How the connections of a server for browsers are encrypted. A security product makes the values,
/// such as `FrameStreamingTLS`; `PreviewOptions.security` takes them.
public struct WebSecurity: Sendable, CustomStringConvertible {
    package let connections: any WebEncryption

    package init(_ connections: any WebEncryption) { self.connections = connections }

    /// The kind of security, without any secret.
    public var description: String { "\(connections)" }
}

/// Makes the encrypted stream of each connection of a server for browsers.
package protocol WebEncryption: Sendable {
    /// Checks that there is a certificate.
    ///
    /// - Throws: `invalidArgument`.
    func checkForBrowsers() throws(FrameStreamingError)

    /// Begins with a connected socket, whose peer has to prove nothing. The socket must not wait in
    /// any call of the stream.
    func beginForBrowser(_ socket: Descriptor) throws(FrameStreamingError) -> any SecuredStream
}
