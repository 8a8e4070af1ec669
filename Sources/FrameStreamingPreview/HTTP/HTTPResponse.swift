internal import FrameStreamingCore
internal import Glibc

/// A response to a request (RFC 9110, 9112).
struct HTTPResponse: Sendable {
    struct Status: Hashable, Sendable {
        let code: Int
        let phrase: String

        static let switchingProtocols = Status(code: 101, phrase: "Switching Protocols")
        static let ok = Status(code: 200, phrase: "OK")
        static let notModified = Status(code: 304, phrase: "Not Modified")
        static let badRequest = Status(code: 400, phrase: "Bad Request")
        static let unauthorized = Status(code: 401, phrase: "Unauthorized")
        static let forbidden = Status(code: 403, phrase: "Forbidden")
        static let notFound = Status(code: 404, phrase: "Not Found")
        static let methodNotAllowed = Status(code: 405, phrase: "Method Not Allowed")
        static let requestTimeout = Status(code: 408, phrase: "Request Timeout")
        static let contentTooLarge = Status(code: 413, phrase: "Content Too Large")
        static let uriTooLong = Status(code: 414, phrase: "URI Too Long")
        static let misdirectedRequest = Status(code: 421, phrase: "Misdirected Request")
        static let upgradeRequired = Status(code: 426, phrase: "Upgrade Required")
        static let tooManyRequests = Status(code: 429, phrase: "Too Many Requests")
        static let fieldsTooLarge = Status(code: 431, phrase: "Request Header Fields Too Large")
        static let internalServerError = Status(code: 500, phrase: "Internal Server Error")
        static let notImplemented = Status(code: 501, phrase: "Not Implemented")
        static let serviceUnavailable = Status(code: 503, phrase: "Service Unavailable")
        static let versionNotSupported = Status(code: 505, phrase: "HTTP Version Not Supported")
    }

    enum Body: Sendable {
        /// The bytes of the body.
        case bytes([UInt8])
        /// The bytes of a frame, in place.
        case picture(Frame)
        /// A body without a length: it lasts until the connection ends, or another protocol takes
        /// over.
        case open

        var count: Int? {
            switch self {
            case .bytes(let bytes): bytes.count
            case .picture(let frame): frame.byteCount
            case .open: nil
            }
        }
    }

    var status: Status
    var fields: [(name: String, value: String)]
    var body: Body
    /// Whether the connection ends with this response, whatever the client asks for.
    var closes = false

    init(_ status: Status, type: String? = nil, _ body: Body) {
        self.status = status
        self.body = body
        // Live frames must not be cached, and the type must not be guessed.
        fields = type.map { [("Content-Type", $0)] } ?? []
        fields += [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    }

    /// Creates a response whose body is a sentence that says what is wrong, and what to do.
    static func sentence(_ status: Status, _ words: String, _ more: [(String, String)] = []) -> HTTPResponse {
        var response = HTTPResponse(status, type: "text/plain; charset=utf-8", .bytes(Array("\(words)\n".utf8)))
        response.fields += more.map { (name: $0, value: $1) }
        return response
    }

    mutating func set(_ name: String, _ value: String) {
        fields.removeAll { $0.name == name }
        fields.append((name, value))
    }

    /// Returns the status line and the fields.
    ///
    /// - Parameter ends: Whether the connection ends behind the response.
    func head(ends: Bool) -> [UInt8] {
        var text = "HTTP/1.1 \(status.code) \(status.phrase)\r\nDate: \(Self.date())\r\n"
        for field in fields { text += "\(field.name): \(field.value)\r\n" }
        if let count = body.count, status != .notModified { text += "Content-Length: \(count)\r\n" }
        if ends, !fields.contains(where: { $0.name == "Connection" }) { text += "Connection: close\r\n" }
        return Array("\(text)\r\n".utf8)
    }

    /// Returns the response as it is sent.
    ///
    /// - Parameter isHead: Whether the method was HEAD, whose response has the fields of GET and no
    ///   body (RFC 9110, 9.3.2).
    func message(ends: Bool, isHead: Bool) -> ViewerMessage {
        let head = head(ends: ends)
        if isHead || status == .notModified { return ViewerMessage(head: head) }
        switch body {
        case .bytes(let bytes): return ViewerMessage(head: head + bytes)
        case .picture(let frame): return ViewerMessage(head: head, image: frame)
        case .open: return ViewerMessage(head: head)
        }
    }

    /// Returns the time as a field has it: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
    ///
    /// Unsafe code: gmtime_r gets locals that live through the call, and only the numbers of its
    /// result are used.
    private static func date() -> String {
        var now = time(nil)
        var parts = unsafe tm()
        guard unsafe gmtime_r(&now, &parts) != nil else { return "" }
        let (day, month, year) = unsafe (Int(parts.tm_wday), Int(parts.tm_mon), 1900 + parts.tm_year)
        let (date, hour, minute, second) = unsafe (parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
        // Not by strftime, which uses the words of the process's locale.
        return "\(days[day]), \(two(date)) \(months[month]) \(year) "
            + "\(two(hour)):\(two(minute)):\(two(second)) GMT"
    }
}
