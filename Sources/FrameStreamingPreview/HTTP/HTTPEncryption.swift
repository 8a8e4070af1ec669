internal import FrameStreamingCore
internal import FrameStreamingSystem

/// How the server's connections are encrypted, and what a client gets that does not encrypt.
struct HTTPEncryption: Sendable {
    /// What a client's first byte says.
    enum FirstByte {
        /// It has not arrived yet.
        case none
        case ended
        /// A handshake of TLS.
        case handshake
        /// Anything else, such as a request without encryption.
        case plain
    }

    let security: any WebEncryption
    let plainAnswer: HTTPResponse

    /// - Parameter address: The page's address.
    init(_ security: WebSecurity, address: String) {
        self.security = security.connections
        var answer = HTTPResponse.sentence(.badRequest, "This port takes encrypted connections only: open \(address)")
        answer.closes = true
        plainAnswer = answer
    }

    /// Looks at a connection's first byte, which stays unread.
    static func firstByte(of socket: Descriptor) -> FirstByte {
        do throws(SystemError) {
            guard let byte = try socket.peek(1).first else { return .ended }
            // The type of a record with a message of the handshake (RFC 8446, 5.1).
            return byte == 22 ? .handshake : .plain
        } catch {
            return error.code == Errno.again ? .none : .ended
        }
    }
}
