internal import FlyingFox
internal import FoundationEssentials
internal import FrameStreamingCore

extension HTTPHeader {
    static let retryAfter = HTTPHeader("Retry-After")
    static let allow = HTTPHeader("Allow")
}

extension HTTPResponse {
    /// A status with a sentence that says what is wrong, and what to do.
    static func sentence(_ status: HTTPStatusCode, _ words: String, _ more: HTTPHeaders = [:]) -> HTTPResponse {
        var response = HTTPResponse(
            statusCode: status, headers: headers("text/plain; charset=utf-8"), body: Data("\(words)\n".utf8))
        for header in more.keys { response.headers.setValues(more.values(for: header), for: header) }
        return response
    }

    /// A text in one piece.
    static func text(_ type: String, _ text: Data) -> HTTPResponse {
        HTTPResponse(statusCode: .ok, headers: headers(type), body: body(text))
    }

    /// A body that FlyingFox writes in one go, and not in pieces of 4 KiB.
    static func body(_ data: Data) -> HTTPBodySequence {
        HTTPBodySequence(data: data, suggestedBufferSize: max(1, data.count))
    }

    /// What every answer has: live pictures are kept by nobody, and a type is what it says.
    static func headers(_ type: String) -> HTTPHeaders {
        var headers = HTTPHeaders()
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        headers[HTTPHeader("X-Content-Type-Options")] = "nosniff"
        return headers
    }

    /// The same answer without its body, for HEAD: the length is that of the body.
    var withoutBody: HTTPResponse {
        guard case .httpBody(let body) = payload else { return self }
        var response = self
        if let count = body.count, statusCode != .notModified { response.headers[.contentLength] = String(count) }
        response.payload = .httpBody(HTTPBodySequence())
        return response
    }
}

extension Data {
    /// The bytes of a picture, where they lie: FlyingFox copies them once, on their way to the socket.
    ///
    /// Unsafe code: the memory lives as long as a Frame that has it, and the deallocator holds one.
    init(bytesOf frame: Frame) {
        self = unsafe frame.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return Data() }
            return unsafe Data(
                bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count,
                deallocator: .custom { _, _ in withExtendedLifetime(frame) {} })
        }
    }
}
