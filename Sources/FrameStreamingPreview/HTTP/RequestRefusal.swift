/// Why a request is refused. The connection ends with it, because the bytes that follow are
/// unsafe to parse.
struct RequestRefusal: Error {
    let status: HTTPResponse.Status
    let words: String

    init(_ status: HTTPResponse.Status, _ words: String) {
        self.status = status
        self.words = words
    }

    /// The response: the status and a sentence. For an unsupported method it lists the supported
    /// ones (RFC 9110, 15.5.6).
    var response: HTTPResponse {
        var response = HTTPResponse.sentence(status, words)
        if status == .methodNotAllowed { response.fields.append(("Allow", "GET, HEAD")) }
        response.closes = true
        return response
    }
}
