internal import FoundationEssentials
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Decides the outcome of each request. No outcome takes long here: another thread encodes frames,
/// and the viewers' thread sends streams.
struct Routes: Sendable {
    /// The outcome of a request.
    enum Outcome {
        case response(HTTPResponse)
        /// A frame that has to be encoded first.
        case still(Stills.Order)
        /// The connection becomes a viewer's, which sends the response first. `early` is what the
        /// client sent before it had the response.
        case viewer(HTTPResponse, (_ stream: ClientStream, _ greeting: [UInt8], _ early: [UInt8]) -> Void)
    }

    let registry: StreamRegistry
    let viewers: ViewerLoop
    let stills: Stills
    let origins: SameOriginCheck
    let access: AccessCheck

    /// - Parameter client: Where the request comes from.
    func outcome(_ request: RequestHead, from client: PeerHost, at now: MonotonicTime = .now) -> Outcome {
        switch unmarked(request, from: client, at: now) {
        case .response(let response): .response(marked(response))
        case .still(let order): .still(order)
        case .viewer(let response, let begin): .viewer(marked(response), begin)
        }
    }

    /// Returns the response as it is sent: where a token is needed, no page of another origin may
    /// show it. One at another port of this host would have the cookie.
    func marked(_ response: HTTPResponse) -> HTTPResponse {
        guard access.isClosed else { return response }
        var response = response
        response.set("Cross-Origin-Resource-Policy", "same-origin")
        return response
    }

    private func unmarked(_ request: RequestHead, from client: PeerHost, at now: MonotonicTime) -> Outcome {
        if let refusal = origins.refusal(of: request) { return .response(refusal) }
        var pageField: (name: String, value: String)?
        switch access.verdict(request, from: client, at: now) {
        case .answered(let response): return .response(response)
        case .allowed(let field): pageField = field
        }
        guard let path = RequestPath(request.path) else {
            return .response(
                .sentence(
                    .badRequest, "The path is invalid: a percent sign begins two hexadecimal digits of UTF-8."))
        }
        switch (path.segments.first, path.segments.count) {
        // What mjpg-streamer and ustreamer call a stream and its newest frame: many programs know
        // only these.
        case ("", 1) where request.parameter("action") == "stream", ("stream", 1): return only(request, isMoving: true)
        case ("", 1) where request.parameter("action") == "snapshot", ("snapshot", 1):
            return only(request, isMoving: false)
        case ("", 1):
            var page = PreviewPage.response(host: request.host)
            if let pageField { page.fields.append(pageField) }
            return .response(page)
        case ("api", 2) where path.segments[1] == "streams":
            return .response(HTTPResponse(.ok, type: "application/json", .bytes(Array(registry.listing()))))
        case ("api", 2) where path.segments[1] == "live": return live(request, at: now)
        case ("metrics", 1):
            let text = PrometheusMetrics.text(of: registry, viewers, access.counts)
            return .response(
                HTTPResponse(.ok, type: "text/plain; version=0.0.4; charset=utf-8", .bytes(Array(text.utf8))))
        case ("streams", 2): return stream(path.segments[1], request)
        default:
            return .response(
                .sentence(.notFound, "There is nothing at this path: / is the page, /api/streams lists the streams."))
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
        guard let entry = registry.entry(named: name) else {
            let shown = StreamRegistry.safe(name)
            return .response(
                .sentence(.notFound, "There is no stream \"\(shown)\": /api/streams lists the existing ones."))
        }
        return isMoving ? moving(entry, request) : stills.outcome(entry, request)
    }

    /// The stream of an address without a name: the one that is here, or of several the one that is
    /// live and has been here longest, so that a new one does not take its place.
    private func only(_ request: RequestHead, isMoving: Bool) -> Outcome {
        let entries = registry.entries
        let live = entries.first { $0.state.withLock { $0.status == .live } }
        guard let entry = live ?? entries.first else {
            return .response(
                .sentence(
                    .serviceUnavailable, "There is no stream yet: start a sender, and try again.",
                    [("Retry-After", "5")]))
        }
        return isMoving ? moving(entry, request) : stills.outcome(entry, request)
    }

    /// Frame after frame: `multipart/x-mixed-replace`, for `<img>`, VLC, ffmpeg, OpenCV.
    private func moving(_ entry: StreamEntry, _ request: RequestHead) -> Outcome {
        var response = HTTPResponse(
            .ok, type: "multipart/x-mixed-replace; boundary=\(MultipartViewer.boundary)", .open)
        response.closes = true
        guard let permit = viewers.permit() else { return .response(crowded) }
        // The response to HEAD is that to GET, even where there is no place, and takes none.
        if request.method == .head { return .response(response) }
        return .viewer(response) { stream, greeting, _ in
            viewers.add(MultipartViewer(stream, entry, permit, viewers.encoder, greeting: greeting), in: registry)
        }
    }

    private var crowded: HTTPResponse {
        .sentence(
            .serviceUnavailable,
            "\(viewers.maximumViewers) viewers are looking already: close one, or try again later.",
            [("Retry-After", "5")])
    }

    /// The page's WebSocket.
    private func live(_ request: RequestHead, at now: MonotonicTime) -> Outcome {
        let response = WebSocketHandshake.answer(request)
        guard response.status == .switchingProtocols else { return .response(response) }
        let place = viewers.permit()
        // A browser hides from its page which status refused a WebSocket. So the connection is
        // accepted, and closed with a reason.
        guard let permit = place ?? viewers.farewellPermit() else {
            var response = crowded
            response.closes = true
            return .response(response)
        }
        let limit = place == nil ? now.advanced(by: Viewer.turningAway) : nil
        return .viewer(response) { stream, greeting, early in
            let viewer = LiveViewer(
                stream, registry, permit, viewers.encoder, turnedAwayUntil: limit, greeting: greeting)
            if !early.isEmpty { viewer.receive(early[...]) }
            viewers.add(viewer, in: registry)
        }
    }
}
