/// The request line and the fields of a request (RFC 9112). No request to this server has a body.
struct RequestHead: Sendable {
    /// The methods that the server supports.
    enum Method: String, Sendable { case get = "GET", head = "HEAD" }

    let method: Method
    /// The path as it was sent, still percent-encoded; it begins with a slash.
    let path: String
    /// The part behind the question mark, as it was sent; nil = none.
    let query: String?
    /// Whether the client uses HTTP/1.1, and not 1.0.
    let isVersion11: Bool
    /// The value of Host, or the host of an absolute target; nil = HTTP/1.0 without Host.
    let host: String?
    /// The fields in their order; names are in lower case.
    let fields: [(name: String, value: String)]

    /// Returns all values of a field. `name` is in lower case.
    func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// Returns the elements of a field that is a list of tokens, in lower case.
    func tokens(_ name: String) -> [String] {
        values(name).flatMap { $0.split(separator: ",") }.map { trimmed($0).lowercased() }
    }

    /// Whether the connection stays open for another request.
    var keepsConnection: Bool { isVersion11 && !tokens("connection").contains("close") }

    /// Returns the value of the first parameter of that name; nil = none.
    func parameter(_ name: String) -> String? {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0] == name else { continue }
            return parts.count == 2 ? RequestPath.unescaped(parts[1]) ?? "" : ""
        }
        return nil
    }
}

/// Removes the blanks that may surround a field's value.
func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
}
