public import FrameStreamingCore
internal import FrameStreamingSystem

/// A key that both ends of a connection have, with the name by which they find it and what its
/// holder may do.
///
/// A listener has one for each peer. The limits are those of the side that connects.
public struct PreSharedKey: Sendable, CustomStringConvertible {
    /// The side that a holder of a key may be.
    public enum Role: String, Hashable, Sendable {
        /// It may only send frames.
        case sender
        /// It may only receive frames.
        case receiver
    }

    /// The name of the key, 1 to 128 bytes of printable UTF-8. It is no secret: it is sent before
    /// the connection is encrypted.
    public let identity: String
    /// The side that the holder may be; nil = either.
    public let role: Role?
    /// The streams that the holder may send or receive; nil = all.
    public let streams: [String]?
    let secret: KeySecret

    init(identity: String, role: Role?, streams: [String]?, secret: KeySecret) throws(FrameStreamingError) {
        guard (1...Self.longestIdentity).contains(identity.utf8.count), identity == String(printable: identity),
            identity == identity.trimmed
        else {
            throw FrameStreamingError(
                .invalidArgument,
                "a key's identity must have 1 to \(Self.longestIdentity) bytes of printable text, without spaces around it"
            )
        }
        for stream in streams ?? [] {
            guard (1...255).contains(stream.utf8.count), stream == String(printable: stream, limit: 255),
                stream == stream.trimmed, !stream.contains(",")
            else {
                throw FrameStreamingError(
                    .invalidArgument,
                    "a stream's name in a key must have 1 to 255 bytes of printable text, without commas and without spaces around it"
                )
            }
        }
        guard streams?.isEmpty != true else {
            throw FrameStreamingError(
                .invalidArgument, "a key must be for at least one stream, or for all: leave the streams out")
        }
        self.identity = identity
        self.role = role
        self.streams = streams
        self.secret = secret
    }

    static let longestIdentity = 128

    /// Makes a key of 32 random bytes.
    ///
    /// - Parameters:
    ///   - identity: Its name, 1 to 128 bytes of printable UTF-8.
    ///   - role: The side that its holder may be; nil = either.
    ///   - streams: The streams that its holder may send or receive; nil = all.
    /// - Throws: `invalidArgument`; `system` without memory or random bytes.
    public static func generate(
        identity: String, role: Role? = nil, streams: [String]? = nil
    ) throws(FrameStreamingError) -> PreSharedKey {
        try PreSharedKey(identity: identity, role: role, streams: streams, secret: KeySecret())
    }

    /// The identity and the limits. The key itself is in no description, log or error.
    public var description: String {
        var words = "key of \(String(printable: identity))"
        if let role { words += ", for a \(role.rawValue)" }
        if let streams { words += ", for the streams \(streams.map { String(printable: $0) }.joined(separator: ", "))" }
        return words
    }
}

extension PreSharedKey: CustomReflectable {
    /// The same as ``description``, so that a dump shows no secret either.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    var trimmed: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
