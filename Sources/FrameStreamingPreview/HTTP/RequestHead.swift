/// A request without its body, which no request here has: what RFC 9112 calls the request line and the fields.
struct RequestHead: Sendable {
    /// Nothing else is answered.
    enum Method: String, Sendable { case get = "GET", head = "HEAD" }

    let method: Method
    /// The path as it was sent, percent signs and all; it begins with a slash.
    let path: String
    /// What is behind the question mark, as it was sent; nil = there is none.
    let query: String?
    /// Whether the client speaks HTTP/1.1, and not 1.0.
    let isVersion11: Bool
    /// The value of Host, or what an absolute target names; nil = HTTP/1.0 without Host.
    let host: String?
    /// Names in lower case, in the order in which they came.
    let fields: [(name: String, value: String)]

    /// All values of a field, by its name in lower case.
    func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// The elements of a field that is a list of tokens, in lower case.
    func tokens(_ name: String) -> [String] {
        values(name).flatMap { $0.split(separator: ",") }.map { trimmed($0).lowercased() }
    }

    /// Whether the connection stays open for another request.
    var keepsConnection: Bool { isVersion11 && !tokens("connection").contains("close") }

    /// The value of the first parameter of that name; nil = there is none.
    func parameter(_ name: String) -> String? {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0] == name else { continue }
            return parts.count == 2 ? RequestPath.unescaped(parts[1]) ?? "" : ""
        }
        return nil
    }
}

/// Without the blanks around it that a field's value may have.
func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
}

/// Why a request is not answered. The connection ends with that: what follows cannot be told from rubbish.
struct RequestRefusal: Error {
    let status: Response.Status
    let words: String

    init(_ status: Response.Status, _ words: String) {
        self.status = status
        self.words = words
    }

    /// The status with a sentence. Whoever asks with another method is told those that there are (RFC 9110, 15.5.6).
    var response: Response {
        var response = Response.sentence(status, words)
        if status == .methodNotAllowed { response.fields.append(("Allow", "GET, HEAD")) }
        response.closes = true
        return response
    }
}
