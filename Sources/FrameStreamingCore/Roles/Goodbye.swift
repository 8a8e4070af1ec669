/// What one side of a connection tells the other when it ends the stream: what kind of end it is, and why.
///
/// A string literal is a goodbye in good order: `transport.finish("all sent", until: deadline)`.
public struct Goodbye: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// What kind of end it is. The set is open: a later version may add codes, so a `switch` needs a `default`.
    @nonexhaustive
    public enum Code: String, Sendable, CustomStringConvertible {
        /// The side that says it has had, or has sent, all that it wanted.
        case complete
        /// Its program was stopped, by a user or a service manager, and may be started again.
        case stopped
        /// It could not go on: its disk is full, its source broke, its encoder failed.
        case failed
        /// It cannot go on, and never can with this peer: frames come in a format that its codec does
        /// not decode, or the peer takes none of the formats that it sends. A peer of before this code
        /// takes it for ``failed``.
        case unsupported

        /// The code's name.
        public var description: String { rawValue }
    }

    /// What kind of end it is.
    public var code: Code
    /// Words for a person at the other side; empty = none. A peer may have chosen them and put anything into
    /// them: print ``description``, or the text through `String(printable:)`.
    public var text: String

    /// A goodbye with its parts.
    public init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }

    /// A goodbye in good order.
    public init(stringLiteral text: String) { self.init(.complete, text) }

    /// A goodbye in good order: there is no more to say.
    public static func complete(_ text: String) -> Goodbye { Goodbye(.complete, text) }

    /// A goodbye of a program that was stopped and may come back.
    public static func stopped(_ text: String) -> Goodbye { Goodbye(.stopped, text) }

    /// A goodbye of a side that could not go on.
    public static func failed(_ text: String) -> Goodbye { Goodbye(.failed, text) }

    /// A goodbye of a side that cannot send to, or receive from, this peer in a format of both.
    public static func unsupported(_ text: String) -> Goodbye { Goodbye(.unsupported, text) }

    /// Whether the side that says it could not go on.
    package var isFailure: Bool { code == .failed || code == .unsupported }

    /// What it is for the side that hears it, where it says that the peer failed; nil where it does not.
    ///
    /// - Parameters:
    ///   - role: What the peer is: `receiver`, `sender`.
    ///   - address: Where it is.
    func failure(of role: String, at address: String) -> FrameStreamingError? {
        guard isFailure else { return nil }
        let reason = text.isEmpty ? "it did not say why" : text
        if code == .unsupported {
            return FrameStreamingError(.unsupported, "the \(role) cannot go on: \(reason)", subject: address)
        }
        return FrameStreamingError(.peerFailed, "the \(role) failed: \(reason)", subject: address)
    }

    /// The code and the text as it may be printed: `failed: the disk is full`.
    public var description: String { text.isEmpty ? code.description : "\(code): \(String(printable: text))" }
}
