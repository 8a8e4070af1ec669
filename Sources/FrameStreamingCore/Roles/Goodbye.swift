/// The message with which one side of a connection ends the stream:
/// the kind of end, and the reason.
///
/// A string literal is a ``Code/complete`` goodbye:
/// `transport.finish("all sent", until: deadline)`.
public struct Goodbye: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The kind of end. The set is open: a later version may add codes,
    /// so a `switch` needs an `@unknown default`.
    @nonexhaustive
    public enum Code: String, Sendable, CustomStringConvertible {
        /// The side that says it has received, or has sent, all that it wanted.
        case complete
        /// Its program was stopped, by a user or a service manager, and may be started again.
        case stopped
        /// It could not go on: its disk is full, its source broke, its encoder failed.
        case failed
        /// It cannot go on, and never can with this peer: frames come in a format that its codec
        /// does not decode, or the peer takes none of the formats that it sends. An older peer
        /// takes this code for ``failed``.
        case unsupported

        /// The code's name.
        public var description: String { rawValue }
    }

    /// The kind of end.
    public var code: Code
    /// The reason, for people at the other side; empty = none. A peer may have put anything into
    /// it: print ``description``, or the text through `String(printable:)`.
    public var text: String

    /// A goodbye with its parts.
    public init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }

    /// Makes a ``Code/complete`` goodbye.
    public init(stringLiteral text: String) { self.init(.complete, text) }

    /// A goodbye of a side that has received, or has sent, all that it wanted.
    public static func complete(_ text: String) -> Goodbye { Goodbye(.complete, text) }

    /// A goodbye of a program that was stopped and may come back.
    public static func stopped(_ text: String) -> Goodbye { Goodbye(.stopped, text) }

    /// A goodbye of a side that could not go on.
    public static func failed(_ text: String) -> Goodbye { Goodbye(.failed, text) }

    /// A goodbye of a side that has no pixel format in common with this peer.
    public static func unsupported(_ text: String) -> Goodbye { Goodbye(.unsupported, text) }

    /// Whether the side that says it could not go on.
    package var isFailure: Bool { code == .failed || code == .unsupported }

    /// The error for the side that receives it, if it says that the peer failed; nil otherwise.
    ///
    /// - Parameters:
    ///   - role: The peer's role: `receiver`, `sender`.
    ///   - address: The peer's address.
    func failure(of role: String, at address: String) -> FrameStreamingError? {
        guard isFailure else { return nil }
        let reason = text.isEmpty ? "it did not say why" : text
        if code == .unsupported {
            return FrameStreamingError(.unsupported, "the \(role) cannot go on: ", peer: reason, subject: address)
        }
        return FrameStreamingError(.peerFailed, "the \(role) failed: ", peer: reason, subject: address)
    }

    /// The code and the text in printable form: `failed: the disk is full`.
    public var description: String { text.isEmpty ? code.description : "\(code): \(String(printable: text))" }
}
