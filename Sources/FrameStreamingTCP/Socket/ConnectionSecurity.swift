package import FrameStreamingCore
package import FrameStreamingSystem

/// Makes the encrypted stream of each connection.
package protocol ConnectionSecurity: Sendable {
    /// Checks that there is a credential for this use.
    ///
    /// - Parameters:
    ///   - stream: This side's name of the stream; empty = none.
    ///   - listens: Whether peers connect to this side.
    /// - Throws: `invalidArgument`, or `notPermitted` for a credential that is limited to others.
    func check(isSender: Bool, stream: String, listens: Bool) throws(FrameStreamingError)

    /// Begins with a connected socket. The socket must not wait in any call of the stream.
    ///
    /// - Parameters:
    ///   - host: The host that this side connected to; nil = the peer connected to this side.
    ///   - address: The peer's address, for messages.
    func begin(_ socket: Descriptor, host: String?, address: String) throws(FrameStreamingError) -> any SecuredStream
}
