internal import Foundation

/// A request's path, by its segments as they were sent, so that an escaped slash stays within its name.
struct RequestPath: Hashable {
    /// The segments, unescaped.
    let segments: [String]

    /// Nil where the path is not written as one: an escape that is none, or bytes that are not UTF-8.
    init?(_ path: String) {
        guard path.first == "/" else { return nil }
        var segments: [String] = []
        for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let name = Self.unescaped(segment), !name.contains("\0") else { return nil }
            segments.append(name)
        }
        self.segments = segments
    }

    /// With bytes in place of percent signs and two digits; nil where that is no text.
    static func unescaped(_ text: Substring) -> String? { String(text).removingPercentEncoding }
}
