internal import FoundationEssentials
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// What is answered to which request. Nothing here takes long: pictures that have to be encoded are made by another thread, and pictures that
/// are to come as they are made go to the viewers' thread.
struct Routes: Sendable {
    /// What a request comes to.
    enum Outcome {
        case response(Response)
        /// A picture that has to be encoded first.
        case still(Stills.Order)
        /// The connection becomes a viewer's, which begins by sending the answer; `early` is what the client said before it had that.
        case viewer(Response, (_ descriptor: Descriptor, _ greeting: [UInt8], _ early: [UInt8]) -> Void)
    }

    let registry: StreamRegistry
    let viewers: ViewerLoop
    let stills: Stills
    let access: Guard

    func outcome(_ request: RequestHead) -> Outcome {
        if let refusal = access.refusal(of: request) { return .response(refusal) }
        guard let path = RequestPath(request.path) else {
            return .response(
                .sentence(
                    .badRequest, "The path is not one: percent signs begin two hexadecimal digits of UTF-8."))
        }
        switch (path.segments.first, path.segments.count) {
        case ("", 1): return .response(.page(host: request.host))
        case ("api", 2) where path.segments[1] == "streams":
            return .response(Response(.ok, type: "application/json", .bytes(Array(registry.listing()))))
        case ("api", 2) where path.segments[1] == "live": return live(request)
        case ("metrics", 1):
            let text = Metrics.text(of: registry, viewers)
            return .response(
                Response(.ok, type: "text/plain; version=0.0.4; charset=utf-8", .bytes(Array(text.utf8))))
        case ("streams", 2): return stream(path.segments[1], request)
        default:
            return .response(
                .sentence(.notFound, "There is nothing here: / is the page, /api/streams lists the streams."))
        }
    }

    private func stream(_ file: String, _ request: RequestHead) -> Outcome {
        let kinds = [(".mjpg", true), (".jpg", false)]
        guard let (ending, isMoving) = kinds.first(where: { file.hasSuffix($0.0) }) else {
            return .response(
                .sentence(.notFound, "A stream's pictures are /streams/NAME.mjpg, and its newest is /streams/NAME.jpg.")
            )
        }
        let name = String(file.dropLast(ending.count))
        guard let tile = registry.tile(named: name) else {
            let shown = StreamRegistry.safe(name)
            return .response(
                .sentence(.notFound, "There is no stream \"\(shown)\": /api/streams lists those that there are."))
        }
        return isMoving ? moving(tile, request) : stills.outcome(tile, request)
    }

    /// Picture after picture: `multipart/x-mixed-replace`, for `<img>`, VLC, ffmpeg, OpenCV.
    private func moving(_ tile: StreamTile, _ request: RequestHead) -> Outcome {
        var response = Response(
            .ok, type: "multipart/x-mixed-replace; boundary=\(MultipartViewer.boundary)", .open)
        response.closes = true
        if request.method == .head { return .response(response) }
        guard let seat = viewers.seat() else {
            return .response(
                .sentence(
                    .serviceUnavailable,
                    "\(viewers.maximumViewers) viewers are looking already: close one, or try again later.",
                    [("Retry-After", "5")]))
        }
        return .viewer(response) { descriptor, greeting, _ in
            viewers.add(MultipartViewer(descriptor, tile, seat, viewers.pictures, greeting: greeting), in: registry)
        }
    }

    /// The page's WebSocket.
    private func live(_ request: RequestHead) -> Outcome {
        let response = WebSocketHandshake.answer(request)
        guard response.status == .switchingProtocols else { return .response(response) }
        let seat = viewers.seat()
        return .viewer(response) { descriptor, greeting, early in
            // A browser does not tell its page which status refused a WebSocket: so it is accepted, and closed with a reason.
            let viewer = LiveViewer(descriptor, registry, seat, viewers.pictures, greeting: greeting)
            if !early.isEmpty { viewer.receive(early[...]) }
            viewers.add(viewer, in: registry)
        }
    }
}

extension Response {
    /// The page. Its scripts are those that are in it: stream names are the peers' words, and no word of theirs is ever run.
    fileprivate static func page(host: String?) -> Response {
        let nonce = (0..<16).map { _ in String(UInt8.random(in: 0...255), radix: 16) }.joined()
        let source = String(decoding: PackageResources.index_html, as: UTF8.self)
        let page = source.replacing("<script>", with: "<script nonce=\"\(nonce)\">")
        var response = Response(.ok, type: "text/html; charset=utf-8", .bytes(Array(page.utf8)))
        // Some browsers do not count a WebSocket of the same server as 'self'.
        let socket = host.map { " ws://\($0) wss://\($0)" } ?? ""
        response.set(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'unsafe-inline'; img-src 'self' blob: data:; "
                + "connect-src 'self'\(socket); base-uri 'none'; form-action 'none'; frame-ancestors 'self'")
        response.set("Referrer-Policy", "no-referrer")
        return response
    }
}
