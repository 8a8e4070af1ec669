internal import FlyingFox
internal import FoundationEssentials
internal import FrameStreamingCore

/// What is answered to which request. It runs on Swift's cooperative threads; pictures that are to come as they are made go to the
/// viewers' thread.
struct Routes: HTTPHandler {
    let registry: StreamRegistry
    let viewers: ViewerLoop
    let stills: Stills
    let access: Guard

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        if let refusal = access.refusal(of: request) { return refusal }
        guard request.method == .GET || request.method == .HEAD else {
            return .sentence(.methodNotAllowed, "Pictures are looked at, by GET or HEAD.", [.allow: "GET, HEAD"])
        }
        let response = try await answer(request)
        return request.method == .HEAD ? response.withoutBody : response
    }

    private func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let path = RequestPath(request.target.path()) else {
            return .sentence(.badRequest, "The path is not one: percent signs begin two hexadecimal digits of UTF-8.")
        }
        switch (path.segments.first, path.segments.count) {
        case ("", 1): return .page(host: request.headers[.host])
        case ("api", 2) where path.segments[1] == "streams": return .text("application/json", registry.listing())
        case ("api", 2) where path.segments[1] == "live": return try await live(request)
        case ("metrics", 1):
            return .text("text/plain; version=0.0.4; charset=utf-8", Data(Metrics.text(of: registry, viewers).utf8))
        case ("streams", 2): return stream(path.segments[1], request)
        default: return .sentence(.notFound, "There is nothing here: / is the page, /api/streams lists the streams.")
        }
    }

    private func stream(_ file: String, _ request: HTTPRequest) -> HTTPResponse {
        let kinds = [(".mjpg", true), (".jpg", false)]
        guard let (ending, isMoving) = kinds.first(where: { file.hasSuffix($0.0) }) else {
            return .sentence(
                .notFound, "A stream's pictures are /streams/NAME.mjpg, and its newest is /streams/NAME.jpg.")
        }
        let name = String(file.dropLast(ending.count))
        guard let tile = registry.tile(named: name) else {
            return .sentence(.notFound, "There is no stream \"\(name)\": /api/streams lists those that there are.")
        }
        return isMoving ? moving(tile, request) : stills.answer(tile, request)
    }

    /// Picture after picture: `multipart/x-mixed-replace`, for `<img>`, VLC, ffmpeg, OpenCV.
    private func moving(_ tile: StreamTile, _ request: HTTPRequest) -> HTTPResponse {
        var headers = HTTPResponse.headers("multipart/x-mixed-replace; boundary=\(MultipartViewer.boundary)")
        headers[.connection] = "close"
        if request.method == .HEAD { return HTTPResponse(statusCode: .ok, headers: headers) }
        guard let seat = viewers.seat() else {
            return .sentence(
                .serviceUnavailable,
                "\(viewers.maximumViewers) viewers are looking already: close one, or try again later.",
                [.retryAfter: "5"])
        }
        let handover = Handover { descriptor in
            viewers.add(MultipartViewer(descriptor, tile, seat, viewers.pictures), in: registry)
        }
        var response = HTTPResponse(headers: headers, webSocket: handover)
        response.statusCode = .ok
        return response
    }

    /// The page's WebSocket.
    private func live(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard request.method == .GET, request.headers[.upgrade]?.lowercased() == "websocket" else {
            return .sentence(
                HTTPStatusCode(426, phrase: "Upgrade Required"), "This is a WebSocket, for the page at /.",
                [.upgrade: "websocket", .connection: "Upgrade"])
        }
        let seat = viewers.seat()
        let handover = Handover { descriptor in
            // A browser does not tell its page which status refused a WebSocket: so it is accepted, and closed with a reason.
            viewers.add(LiveViewer(descriptor, registry, seat, viewers.pictures), in: registry)
        }
        return try await WebSocketHTTPHandler(handler: handover).handleRequest(request)
    }
}

extension HTTPResponse {
    /// The page. Its scripts are those that are in it: stream names are the peers' words, and no word of theirs is ever run.
    fileprivate static func page(host: String?) -> HTTPResponse {
        let nonce = (0..<16).map { _ in String(UInt8.random(in: 0...255), radix: 16) }.joined()
        let source = String(decoding: PackageResources.index_html, as: UTF8.self)
        let page = source.replacing("<script>", with: "<script nonce=\"\(nonce)\">")
        var response = HTTPResponse.text("text/html; charset=utf-8", Data(page.utf8))
        // Some browsers do not count a WebSocket of the same server as 'self'.
        let isPlain = host?.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3B && $0 != 0x2C } ?? false
        let socket = isPlain ? " ws://\(host ?? "") wss://\(host ?? "")" : ""
        response.headers[HTTPHeader("Content-Security-Policy")] =
            "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'unsafe-inline'; img-src 'self' blob: data:; "
            + "connect-src 'self'\(socket); base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
        response.headers[HTTPHeader("Referrer-Policy")] = "no-referrer"
        return response
    }
}
