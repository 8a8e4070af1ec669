internal import Foundation

/// A request's path, split into segments before percent-decoding, so that an escaped slash stays
/// within its segment.
struct RequestPath: Hashable {
    /// The segments, percent-decoded.
    let segments: [String]

    /// Nil for an invalid path: a bad percent escape, or bytes that are not UTF-8.
    init?(_ path: String) {
        guard path.first == "/" else { return nil }
        var segments: [String] = []
        for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let name = Self.unescaped(segment), !name.contains("\0") else { return nil }
            segments.append(name)
        }
        self.segments = segments
    }

    /// Decodes percent escapes; nil where the result is not text.
    static func unescaped(_ text: Substring) -> String? { String(text).removingPercentEncoding }

    /// Returns text as a segment of a path: everything is percent-encoded that is not unreserved
    /// (RFC 3986, 2.3).
    static func escaped(_ text: String) -> String {
        let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            if unreserved.contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
    }
}
