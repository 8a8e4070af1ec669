public import FrameStreamingCore
internal import FrameStreamingSystem

/// The secret that lets viewers see a preview: `PreviewOptions.token`.
///
/// Only digests of it are kept, so that no description, log or error can have it.
public struct PreviewToken: Sendable, CustomStringConvertible {
    /// Of the token, and of its session cookie: what a request brings is compared by its digest, so
    /// that the time of the comparison tells nothing.
    private let digests: (token: [UInt8], session: [UInt8])
    /// The value of the cookie, which a browser has in the token's place. It stays the same as long
    /// as the token does, so that a screen on a wall survives a restart of the program.
    let session: String

    /// The number of characters that a token may have.
    private static let lengths = 16...256
    /// The bytes of a token that is made here: no guess in a lifetime finds it.
    private static let randomBytes = 24

    /// Takes a token that the program has from elsewhere.
    ///
    /// - Parameter text: 16 to 256 visible ASCII characters without spaces, chosen at random.
    /// - Throws: `invalidArgument`.
    public init(_ text: String) throws(FrameStreamingError) { try self.init(Array(text.utf8)) }

    private init(_ bytes: [UInt8]) throws(FrameStreamingError) {
        guard Self.lengths.contains(bytes.count), bytes.allSatisfy({ (33...126).contains($0) }) else {
            throw FrameStreamingError(
                .invalidArgument,
                "a token must have \(Self.lengths.lowerBound) to \(Self.lengths.upperBound) visible ASCII characters without spaces"
            )
        }
        let vouched = SHA256.authentication(of: Array("frame-streaming preview session".utf8), key: bytes)
        session = URLSafeText.of(vouched)
        digests = (SHA256.digest(bytes), SHA256.digest(Array(session.utf8)))
    }

    /// Reads a token from a file: one line. Spaces and line ends around it do not count.
    ///
    /// - Parameters:
    ///   - path: The file. Only its owner, who must be this user or the superuser, may have any
    ///     right to it.
    ///   - createsMissing: Whether a missing file is made, with a random token and the mode 0600.
    /// - Throws: `notFound`; `notPermitted` if others may read or change the file; `malformedInput`
    ///   for what is no token. No error has text of the file in it.
    public init(file path: String, createsMissing: Bool = false) throws(FrameStreamingError) {
        var bytes: [UInt8]
        do throws(FrameStreamingError) {
            bytes = try PrivateFile.read(path, atMost: 4096)
        } catch {
            guard createsMissing, error.code == .notFound else { throw error }
            bytes = Self.random()
            defer { cleanse(&bytes) }
            do throws(FrameStreamingError) {
                try PrivateFile.write(bytes + [10], new: path)
                try self.init(bytes)
                return
            } catch {
                // Another program has made it in the meantime.
                guard error.code == .alreadyExists else { throw error }
            }
            bytes = try PrivateFile.read(path, atMost: 4096)
        }
        defer { cleanse(&bytes) }
        let isSpace: (UInt8) -> Bool = { [9, 10, 13, 32].contains($0) }
        let first = bytes.firstIndex { !isSpace($0) } ?? 0
        let end = (bytes.lastIndex { !isSpace($0) } ?? -1) + 1
        do throws(FrameStreamingError) { try self.init(Array(bytes[first..<max(first, end)])) } catch {
            throw FrameStreamingError(.malformedInput, "this is no usable token: \(error.message)", subject: path)
        }
    }

    /// Makes a random token. Viewers get in by links (`PreviewServer.signInLink`).
    public static func generate() -> PreviewToken {
        do throws(FrameStreamingError) { return try PreviewToken(random()) } catch {
            preconditionFailure("a token that is made here has the right form: \(error)")
        }
    }

    /// 24 bytes of the system's random numbers, as text for an address.
    static func random() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return Array(URLSafeText.of((0..<randomBytes).map { _ in .random(in: 0...255, using: &generator) }).utf8)
    }

    /// Whether the text is the token.
    func isToken(_ text: String) -> Bool { isEqual(SHA256.digest(Array(text.utf8)), digests.token) }

    /// Whether the text is the value of the token's cookie.
    func isSession(_ text: String) -> Bool { isEqual(SHA256.digest(Array(text.utf8)), digests.session) }

    /// That there is a token, and nothing of it.
    public var description: String { "a token" }
}

extension PreviewToken: CustomReflectable {
    /// The same as ``description``, so that a dump shows no secret either.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

/// Compares two digests in a time that does not depend on where they differ.
func isEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
}

/// Base64 with the alphabet for addresses, and without padding (RFC 4648, 5).
enum URLSafeText {
    static func of(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let three = bytes[start..<min(start + 3, bytes.count)]
            let bits = three.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - three.count))
            for place in 0...three.count { text.append(alphabet[bits >> (18 - 6 * place) & 63]) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
