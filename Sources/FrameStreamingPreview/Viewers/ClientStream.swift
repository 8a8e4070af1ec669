internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A client's connection: its socket, and the encryption on it.
struct ClientStream: Sendable {
    /// A connected, non-blocking socket.
    let descriptor: Descriptor
    /// Nil for a plain connection.
    var secured: (any SecuredStream)?

    init(_ descriptor: Descriptor, secured: (any SecuredStream)? = nil) {
        self.descriptor = descriptor
        self.secured = secured
    }
}

/// A connection is broken. No reason is sent: the client has gone, or broke the rules.
struct ConnectionLoss: Error {}
