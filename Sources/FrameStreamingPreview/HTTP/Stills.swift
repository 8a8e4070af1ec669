internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The newest picture of a stream, as a file: `/streams/NAME.jpg`, and smaller with `?scale=1/2`.
///
/// One that is a JPEG already is answered at once. Another is made by a thread of its own, one at a time: each costs as much as a frame of
/// the stream, and anybody may ask. Whoever asks for the same picture meanwhile has the same bytes, also where it cannot be made; for a
/// client that has gone nothing is made.
final class Stills: Sendable {
    /// A picture that somebody waits for: the newest there is when its turn comes, so that those who wait hold none.
    struct Order: Sendable {
        let tile: StreamTile
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
        var done: [(client: UInt64, response: Response)] = []
        var kept: [Key: Made] = [:]
        var thread: SystemThread?
        var isClosed = false
    }

    private let pictures: PictureEncoding
    private let state = Monitor(State())
    /// Called on the thread that makes pictures, when an answer is there to be taken.
    private let onDone = Monitor<(@Sendable () -> Void)?>(nil)
    /// Streams and scales of which one picture each is kept, and the largest that is.
    private static let mostKept = 16
    private static let largestKept = 4 << 20
    /// A client that has waited for so long is told to come back.
    private static let patience = Duration.seconds(10)
    /// Of this run of the server: a picture's number says which it is only within one.
    private let run = String(UInt64(bitPattern: monotonicNow()), radix: 36)

    init(_ pictures: PictureEncoding) { self.pictures = pictures }

    // MARK: What is asked for

    func outcome(_ tile: StreamTile, _ request: RequestHead) -> Routes.Outcome {
        guard let scale = Self.scale(request) else {
            return .response(.sentence(.badRequest, "?scale= is 1/1, 1/2, 1/4 or 1/8."))
        }
        guard let picture = tile.newest else { return .response(Self.noPicture(tile)) }
        let tag = tag(picture, tile, scale)
        if request.values("if-none-match").contains(where: { Self.matches($0, tag) }) {
            var response = Self.response(of: picture, tag, .bytes([]))
            response.status = .notModified
            return .response(response)
        }
        if scale == .full, picture.frame.format.pixelFormat == .jpeg {
            return .response(Self.response(of: picture, tag, .picture(picture.frame)))
        }
        if let made = kept(Key(stream: tile.name, scale: scale), tag) {
            return .response(Self.response(of: picture, tag, made))
        }
        return .still(Order(tile: tile, scale: scale))
    }

    private static func noPicture(_ tile: StreamTile) -> Response {
        .sentence(
            .serviceUnavailable, "The stream \"\(tile.name)\" has no picture yet: try again soon.",
            [("Retry-After", "1")])
    }

    private static func response(of picture: Picture, _ tag: String, _ body: Response.Body) -> Response {
        var response = Response(.ok, type: "image/jpeg", body)
        // Kept, if anywhere, only to be asked about again.
        response.set("Cache-Control", "no-cache")
        response.set("ETag", tag)
        response.set("X-Timestamp", picture.timestamp)
        return response
    }

    /// Names may have what an entity tag may not; their hash is of this process, and so is the run. A stream that was forgotten and comes
    /// back counts anew, at another time.
    private func tag(_ picture: Picture, _ tile: StreamTile, _ scale: PictureScale) -> String {
        let name = String(UInt(bitPattern: tile.name.hashValue), radix: 36)
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
        of picture: Picture, _ tag: String, _ made: Result<Frame, FrameStreamingError>
    ) -> Response {
        switch made {
        case .success(let frame): return response(of: picture, tag, .picture(frame))
        case .failure(let error):
            let words = StreamRegistry.safeWords(error.message, longest: 500)
            return .sentence(.internalServerError, "The picture cannot be shown: \(words)")
        }
    }

    /// Nil for one that there is not.
    private static func scale(_ request: RequestHead) -> PictureScale? {
        guard let text = request.parameter("scale") else { return .full }
        return [.full, .half, .quarter, .eighth].first { $0.description == text }
    }

    /// Whether an If-None-Match names the picture: `*` or a list, weak or not (RFC 9110, 13.1.2).
    private static func matches(_ header: String, _ tag: String) -> Bool {
        header.split(separator: ",").contains { entry in
            var entry = trimmed(entry)
            if entry.hasPrefix("W/") { entry = entry.dropFirst(2) }
            return entry == "*" || entry == tag
        }
    }

    // MARK: What is made

    /// Has the picture made. The answer comes by ``takeDone()``; `onDone` says when.
    ///
    /// - Parameter client: Says whose it is. A client has one order at a time.
    func make(_ order: Order, for client: UInt64, onDone: @escaping @Sendable () -> Void) {
        self.onDone.withLock { $0 = onDone }
        let isIn = state.update { state in
            if state.thread == nil, !state.isClosed {
                state.thread = try? SystemThread(name: "frame-stills") { [weak self, state = self.state] in
                    while let job = Self.next(state) { self?.make(job) }
                }
            }
            guard state.thread != nil, !state.isClosed else { return false }
            state.jobs.append(Job(client: client, order: order, since: .now))
            return true
        }
        if !isIn { finish(client, Self.busy) }
    }

    /// The client is gone.
    func cancel(_ client: UInt64) {
        state.withLock { state in
            state.jobs.removeAll { $0.client == client }
            state.done.removeAll { $0.client == client }
        }
    }

    /// The answers that have come.
    func takeDone() -> [(client: UInt64, response: Response)] {
        state.withLock { state in
            defer { state.done = [] }
            return state.done
        }
    }

    /// Nothing is begun any more.
    func close() {
        state.update { state in
            state.isClosed = true
            state.jobs = []
        }
    }

    private static var busy: Response {
        .sentence(.serviceUnavailable, "Others wait for pictures already: try again soon.", [("Retry-After", "5")])
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
        let (tile, scale) = (job.order.tile, job.order.scale)
        guard let picture = tile.newest else { return finish(job.client, Self.noPicture(tile)) }
        let (key, tag) = (Key(stream: tile.name, scale: scale), tag(picture, tile, scale))
        if let made = kept(key, tag) { return finish(job.client, Self.response(of: picture, tag, made)) }
        let made: Result<Frame, FrameStreamingError>
        do throws(FrameStreamingError) {
            made = .success(
                scale == .full ? try pictures.jpeg(of: picture, tile) : try pictures.smaller(picture, scale))
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

    private func finish(_ client: UInt64, _ response: Response) {
        state.withLock { $0.done.append((client, response)) }
        onDone.withLock { $0 }?()
    }
}
