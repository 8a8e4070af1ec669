internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Serves the newest frame of a stream as a file: `/streams/NAME.jpg`, smaller with `?scale=1/2`.
///
/// A JPEG is sent at once, unchanged. Other frames are encoded on a thread of their own, one at a
/// time, because each costs as much as a frame of the stream and any client may ask. Requests for
/// the same frame share the result, even a failure. Nothing is encoded for a client that has gone.
final class Stills: Sendable {
    /// A client's request for a frame. It names no frame, but takes the newest one when its turn
    /// comes, so that waiting requests hold none.
    struct Order: Sendable {
        let entry: StreamEntry
        let scale: PictureScale
    }

    private struct Key: Hashable {
        let stream: String
        let scale: PictureScale
    }

    private struct Made {
        let tag: String
        let result: Result<Frame, FrameStreamingError>
    }

    private struct Job {
        let client: UInt64
        let order: Order
        let since: MonotonicTime
    }

    private struct State {
        var jobs: [Job] = []
        var done: [(client: UInt64, response: HTTPResponse)] = []
        var kept: [Key: Made] = [:]
        var thread: SystemThread?
        var isClosed = false
    }

    private let encoder: PreviewEncoder
    private let state = Monitor(State())
    /// Called on the encoding thread when a response is ready to be taken.
    private let onDone = Monitor<(@Sendable () -> Void)?>(nil)
    /// The number of streams and scales for which one frame each is kept, and the largest frame
    /// that is.
    private static let mostKept = 16
    private static let largestKept = 4 << 20
    /// A client that has waited this long gets 503.
    private static let patience = Duration.seconds(10)
    /// Identifies this run of the server, because frames are numbered anew in each.
    private let run = String(UInt64(bitPattern: monotonicNow()), radix: 36)

    init(_ encoder: PreviewEncoder) { self.encoder = encoder }

    // MARK: Requests

    func outcome(_ entry: StreamEntry, _ request: RequestHead) -> Routes.Outcome {
        guard let scale = Self.scale(request) else {
            return .response(.sentence(.badRequest, "?scale= is 1/1, 1/2, 1/4 or 1/8."))
        }
        guard let picture = entry.newest else { return .response(Self.noPicture(entry)) }
        let tag = tag(picture, entry, scale)
        if request.values("if-none-match").contains(where: { Self.matches($0, tag) }) {
            var response = Self.response(of: picture, tag, .bytes([]))
            response.status = .notModified
            return .response(response)
        }
        if scale == .full, picture.frame.format.pixelFormat == .jpeg {
            return .response(Self.response(of: picture, tag, .picture(picture.frame)))
        }
        if let made = kept(Key(stream: entry.name, scale: scale), tag) {
            return .response(Self.response(of: picture, tag, made))
        }
        return .still(Order(entry: entry, scale: scale))
    }

    private static func noPicture(_ entry: StreamEntry) -> HTTPResponse {
        .sentence(
            .serviceUnavailable, "The stream \"\(entry.name)\" has no picture yet: try again soon.",
            [("Retry-After", "1")])
    }

    private static func response(of picture: PreviewFrame, _ tag: String, _ body: HTTPResponse.Body) -> HTTPResponse {
        var response = HTTPResponse(.ok, type: "image/jpeg", body)
        // A cache must ask before it uses the frame again.
        response.set("Cache-Control", "no-cache")
        response.set("ETag", tag)
        response.set("X-Timestamp", picture.timestamp)
        return response
    }

    /// A name may contain characters that an entity tag must not. Its hash differs between
    /// processes, and so does the run. A stream that was forgotten and returns is numbered anew,
    /// but at another time.
    private func tag(_ picture: PreviewFrame, _ entry: StreamEntry, _ scale: PictureScale) -> String {
        let name = String(UInt(bitPattern: entry.name.hashValue), radix: 36)
        let time = String(picture.arrived.nanoseconds, radix: 36)
        return "\"\(run)-\(name)-\(picture.number)-\(time)-\(scale.denominator)\""
    }

    private func kept(_ key: Key, _ tag: String) -> Result<Frame, FrameStreamingError>? {
        state.withLock { state in
            guard let kept = state.kept[key], kept.tag == tag else { return nil }
            return kept.result
        }
    }

    private static func response(
        of picture: PreviewFrame, _ tag: String, _ made: Result<Frame, FrameStreamingError>
    ) -> HTTPResponse {
        switch made {
        case .success(let frame): return response(of: picture, tag, .picture(frame))
        case .failure(let error):
            let words = StreamRegistry.safeWords(error.message, longest: 500)
            return .sentence(.internalServerError, "The picture cannot be shown: \(words)")
        }
    }

    /// Nil for an unsupported scale.
    private static func scale(_ request: RequestHead) -> PictureScale? {
        guard let text = request.parameter("scale") else { return .full }
        return [.full, .half, .quarter, .eighth].first { $0.description == text }
    }

    /// Whether an If-None-Match names the frame: `*` or a list, weak or not (RFC 9110, 13.1.2).
    private static func matches(_ header: String, _ tag: String) -> Bool {
        header.split(separator: ",").contains { entry in
            var entry = trimmed(entry)
            if entry.hasPrefix("W/") { entry = entry.dropFirst(2) }
            return entry == "*" || entry == tag
        }
    }

    // MARK: Encoding

    /// Queues a frame for encoding. ``takeDone()`` returns the response; `onDone` reports that it
    /// is ready.
    ///
    /// - Parameter client: Identifies the client, which has one order at a time.
    func make(_ order: Order, for client: UInt64, onDone: @escaping @Sendable () -> Void) {
        self.onDone.withLock { $0 = onDone }
        let isIn = state.update { state in
            if state.thread == nil, !state.isClosed {
                state.thread = try? SystemThread(name: "fs-stills") { [weak self, state = self.state] in
                    while let job = Self.next(state) { self?.make(job) }
                }
            }
            guard state.thread != nil, !state.isClosed else { return false }
            state.jobs.append(Job(client: client, order: order, since: .now))
            return true
        }
        if !isIn { finish(client, Self.busy) }
    }

    /// Cancels the order of a client that has gone.
    func cancel(_ client: UInt64) {
        state.withLock { state in
            state.jobs.removeAll { $0.client == client }
            state.done.removeAll { $0.client == client }
        }
    }

    /// Takes the responses that are ready.
    func takeDone() -> [(client: UInt64, response: HTTPResponse)] {
        state.withLock { state in
            defer { state.done = [] }
            return state.done
        }
    }

    /// Cancels all orders, and starts no new one.
    func close() {
        state.update { state in
            state.isClosed = true
            state.jobs = []
        }
    }

    private static var busy: HTTPResponse {
        .sentence(
            .serviceUnavailable, "The server is busy with other pictures: try again soon.", [("Retry-After", "5")])
    }

    private static func next(_ state: Monitor<State>) -> Job? {
        let next: Job?? = state.wait(until: nil) { state in
            if state.isClosed { return .some(nil) }
            return state.jobs.isEmpty ? nil : .some(state.jobs.removeFirst())
        }
        return next ?? nil
    }

    private func make(_ job: Job) {
        guard MonotonicTime.now.since(job.since) < Self.patience else { return finish(job.client, Self.busy) }
        let (entry, scale) = (job.order.entry, job.order.scale)
        guard let picture = entry.newest else { return finish(job.client, Self.noPicture(entry)) }
        let (key, tag) = (Key(stream: entry.name, scale: scale), tag(picture, entry, scale))
        if let made = kept(key, tag) { return finish(job.client, Self.response(of: picture, tag, made)) }
        let made: Result<Frame, FrameStreamingError>
        do throws(FrameStreamingError) {
            made = .success(
                scale == .full ? try encoder.jpeg(of: picture, entry) : try encoder.smaller(picture, scale))
        } catch {
            made = .failure(error)
        }
        state.withLock { state in
            if case .success(let frame) = made, frame.byteCount > Self.largestKept { return }
            if state.kept[key] == nil, state.kept.count >= Self.mostKept { state.kept.removeAll() }
            state.kept[key] = Made(tag: tag, result: made)
        }
        finish(job.client, Self.response(of: picture, tag, made))
    }

    private func finish(_ client: UInt64, _ response: HTTPResponse) {
        state.withLock { $0.done.append((client, response)) }
        onDone.withLock { $0 }?()
    }
}
