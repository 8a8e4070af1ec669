internal import FoundationEssentials

/// What a request says to prove that it may look.
struct RequestCredentials {
    /// The token of `Authorization`: a Bearer's, or the password of Basic with any user name.
    var token: String?
    /// The value of the preview's cookie.
    var session: String?
    /// The code of a link.
    var code: String?

    var isEmpty: Bool { token == nil && session == nil && code == nil }

    /// - Parameter cookie: The name of the preview's cookie.
    init(_ request: RequestHead, cookie: String) {
        // One of each, so that a request is no more than two guesses.
        if let value = request.values("authorization").first { token = Self.token(of: value) }
        session = request.values("cookie").lazy.flatMap { $0.split(separator: ";") }.map { trimmed($0) }
            .first { $0.hasPrefix("\(cookie)=") }.map { String($0.dropFirst(cookie.utf8.count + 1)) }
        if request.path == "/", request.method == .get { code = request.parameter("code") }
    }

    private static func token(of authorization: String) -> String? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let value = trimmed(parts[1])
        switch parts[0].lowercased() {
        case "bearer": return String(value)
        case "basic":
            // RFC 7617: what is behind the first colon is the password.
            guard let pair = Data(base64Encoded: String(value)), let colon = pair.firstIndex(of: UInt8(ascii: ":"))
            else { return "" }
            return String(decoding: pair[(colon + 1)...], as: UTF8.self)
        default: return nil
        }
    }
}
