/// Parses the heads of requests (RFC 9112) from bytes in any pieces, without a socket and without
/// waiting.
///
/// It looks at each byte once, and keeps no more of them than ``RequestLimits`` allow, because a
/// peer decides how many come. It refuses whatever two programs could understand differently.
struct RequestReader {
    private var bytes: [UInt8] = []
    /// The start of the request, behind empty lines.
    private var start = 0
    /// The start of the line that is being read.
    private var lineStart = 0
    /// The bytes before this offset contain no further line end.
    private var searched = 0
    private var emptyLines = 0
    private var requestLine: RequestLine?
    private var fields: [(name: String, value: String)] = []
    private var fieldBytes = 0

    /// Whether part of a request has arrived.
    var hasBegun: Bool { requestLine != nil || !bytes.isEmpty }

    /// The bytes that are kept.
    var bufferedBytes: Int { bytes.count }

    /// Whether the request that has begun is a HEAD, even one that is refused: its response has no
    /// body (RFC 9110, 9.3.2).
    var isHead: Bool { bytes[start...].starts(with: Array("HEAD ".utf8)) }

    mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// Takes the bytes behind the last request.
    mutating func takeRest() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Returns the next request; nil while it is incomplete.
    ///
    /// - Throws: Why the request is refused. The reader must not be used after that.
    mutating func next() throws(RequestRefusal) -> RequestHead? {
        while let line = try nextLine() {
            guard let requestLine else {
                if line.isEmpty {
                    emptyLines += 1
                    start = lineStart
                    guard emptyLines <= RequestLimits.emptyLines else {
                        throw RequestRefusal(.badRequest, "A request begins with its request line.")
                    }
                } else {
                    requestLine = try RequestLine(line)
                }
                continue
            }
            guard line.isEmpty else {
                try take(field: line)
                continue
            }
            let head = try requestLine.head(fields)
            bytes.removeFirst(lineStart)
            self = Self(bytes: bytes)
            return head
        }
        return nil
    }

    init() {}

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Returns the next whole line without its end; nil while there is none. A line may end with LF
    /// alone (RFC 9112, 2.2).
    private mutating func nextLine() throws(RequestRefusal) -> ArraySlice<UInt8>? {
        let end = bytes[searched...].firstIndex(of: 10)
        searched = end.map { $0 + 1 } ?? bytes.count
        let count = (end ?? bytes.count) - lineStart
        if requestLine == nil, count > RequestLimits.requestLine {
            throw RequestRefusal(
                .uriTooLong, "A request line has at most \(RequestLimits.requestLine) bytes.")
        }
        if requestLine != nil, count > RequestLimits.field || fieldBytes + count > RequestLimits.fieldBytes {
            throw RequestRefusal(
                .fieldsTooLarge,
                "A field has at most \(RequestLimits.field) bytes, and all together \(RequestLimits.fieldBytes).")
        }
        guard let end else { return nil }
        var line = bytes[lineStart..<end]
        if line.last == 13 { line.removeLast() }
        lineStart = end + 1
        return line
    }

    private mutating func take(field line: ArraySlice<UInt8>) throws(RequestRefusal) {
        fieldBytes += line.count
        guard fields.count < RequestLimits.fieldCount else {
            throw RequestRefusal(.fieldsTooLarge, "A request has at most \(RequestLimits.fieldCount) fields.")
        }
        // A field that continues in the next line (obs-fold) begins with a blank; a blank before
        // the colon is as ambiguous.
        guard let colon = line.firstIndex(of: 58), isToken(line[..<colon]) else {
            throw RequestRefusal(.badRequest, "A field is one line: a name, a colon, and a value.")
        }
        let value = line[(colon + 1)...]
        guard value.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) }) else {
            throw RequestRefusal(.badRequest, "A field's value has no control characters.")
        }
        fields.append(
            (
                name: String(decoding: line[..<colon], as: UTF8.self).lowercased(),
                value: String(trimmed(Substring(String(decoding: value, as: UTF8.self))))
            ))
    }
}

/// Whether the bytes are a token: a method's or a field's name (RFC 9110, 5.6.2).
private func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
    !bytes.isEmpty
        && bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
}

/// The first line of a request.
private struct RequestLine {
    let method: String
    let target: String
    let isVersion11: Bool

    init(_ line: ArraySlice<UInt8>) throws(RequestRefusal) {
        let parts = line.split(separator: 32, omittingEmptySubsequences: false)
        guard parts.count == 3, isToken(parts[0]), parts[1].allSatisfy({ (33...126).contains($0) }), !parts[1].isEmpty
        else {
            throw RequestRefusal(.badRequest, "A request line is a method, a target and HTTP/1.1.")
        }
        method = String(decoding: parts[0], as: UTF8.self)
        target = String(decoding: parts[1], as: UTF8.self)
        let version = Array(parts[2])
        guard version.count == 8, version.starts(with: Array("HTTP/".utf8)), version[6] == UInt8(ascii: "."),
            let major = Self.digit(version[5]), let minor = Self.digit(version[7])
        else {
            throw RequestRefusal(.badRequest, "A request line ends with HTTP/1.1.")
        }
        guard major == 1 else {
            throw RequestRefusal(.versionNotSupported, "This server speaks HTTP/1.1 and 1.0.")
        }
        isVersion11 = minor >= 1
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? byte - UInt8(ascii: "0") : nil
    }

    /// Creates the request, once all fields are known.
    func head(_ fields: [(name: String, value: String)]) throws(RequestRefusal) -> RequestHead {
        func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
        let hosts = values("host")
        // RFC 9112, 3.2: in every version. HTTP/1.0 has no Host, and browsers do not use it.
        guard hosts.count == 1 || (hosts.isEmpty && !isVersion11) else {
            throw RequestRefusal(.badRequest, "A request names one Host.")
        }
        let hasBody = try hasBody(lengths: values("content-length"), encodings: values("transfer-encoding"))
        let method = try known(method)
        guard !hasBody else {
            throw RequestRefusal(.contentTooLarge, "A request to this server has no body.")
        }
        var (path, named) = (target, String?.none)
        if path.first != "/" {
            // An absolute target (RFC 9112, 3.2.2) names a host, which must be that of Host.
            let scheme = "http://"
            guard target.lowercased().hasPrefix(scheme) else {
                throw RequestRefusal(.badRequest, "A target is a path, or begins with http://.")
            }
            let rest = target.dropFirst(scheme.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            guard !authority.isEmpty, hosts.allSatisfy({ Self.isSameServer($0[...], authority) }) else {
                throw RequestRefusal(.badRequest, "The target and Host name different servers.")
            }
            named = String(authority)
            path = String(rest.dropFirst(authority.count))
            if path.first != "/" { path = "/\(path)" }
        }
        guard !path.contains("#") else {
            throw RequestRefusal(.badRequest, "A fragment (#) is the browser's, and no part of a request.")
        }
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return RequestHead(
            method: method, path: String(parts[0]), query: parts.count == 2 ? String(parts[1]) : nil,
            isVersion11: isVersion11, host: named ?? hosts.first, fields: fields)
    }

    /// Whether two authorities of http name the same server: 80 is the port where none is named.
    private static func isSameServer(_ one: Substring, _ other: Substring) -> Bool {
        func name(_ authority: Substring) -> String {
            for port in [":80", ":"] where authority.hasSuffix(port) {
                return authority.dropLast(port.count).lowercased()
            }
            return authority.lowercased()
        }
        return name(one) == name(other)
    }

    /// Whether a body follows (RFC 9112, 6.3).
    private func hasBody(lengths: [String], encodings: [String]) throws(RequestRefusal) -> Bool {
        guard encodings.isEmpty || (lengths.isEmpty && isVersion11) else {
            throw RequestRefusal(.badRequest, "A body has a Content-Length, or is chunked, and not both.")
        }
        guard lengths.count <= 1, lengths.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { Self.digit($0) != nil } })
        else {
            throw RequestRefusal(.badRequest, "A Content-Length is one number.")
        }
        // The number may have any length, and only zero matters.
        return !encodings.isEmpty || lengths.contains { $0.contains { $0 != "0" } }
    }

    private func known(_ method: String) throws(RequestRefusal) -> RequestHead.Method {
        if let known = RequestHead.Method(rawValue: method) { return known }
        let others = ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"]
        throw others.contains(method)
            ? RequestRefusal(.methodNotAllowed, "This server supports GET and HEAD.")
            : RequestRefusal(.notImplemented, "This method does not exist: this server supports GET and HEAD.")
    }
}
