internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A connection that a `serve` lends to its body.
extension TCPTransport: ScopedTransport {
    /// How long the goodbye may take for which the body has left no time.
    private static var patience: Duration { .seconds(1) }

    package var isLent: Bool { lent.withLock { $0 } }

    /// Has `body` use the connection, and ends it with a goodbye that says how that went.
    ///
    /// A `body` that has said goodbye itself is the usual case: then nothing more is said.
    func lend(to body: (TCPTransport) throws -> Void) throws {
        lent.withLock { $0 = true }
        defer { close() }
        do {
            try body(self)
        } catch {
            if let goodbye = Self.goodbye(after: error) { try? finish(goodbye, until: .after(Self.patience)) }
            throw error
        }
        try? finish("connection no longer used", until: .after(Self.patience))
    }

    /// What the peer is told of an error; nil where the connection is what failed.
    private static func goodbye(after error: any Error) -> Goodbye? {
        guard let error = error as? FrameStreamingError else {
            return .failed(String(printable: String(describing: error)))
        }
        return switch error.code {
        case .connectionLost, .endedWithoutGoodbye, .protocolViolation, .closed: nil
        case .cancelled: .stopped("the other side was stopped")
        default: .failed(String(printable: error.message))
        }
    }
}
