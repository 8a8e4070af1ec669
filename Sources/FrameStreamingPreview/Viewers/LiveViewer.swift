internal import FrameStreamingCore

/// A page that is connected by WebSocket. It names the streams to watch, and acknowledges each
/// frame that it has drawn.
///
/// One frame of each stream is in flight. The next one is the newest at that time, so a slow
/// browser sees fewer frames and no old ones.
final class LiveViewer: Viewer {
    private struct Watched {
        let name: String
        var entry: StreamEntry?
        /// The number of the last frame that was sent.
        var last = 0
        /// The frame that was sent and not acknowledged.
        var underWay: Int?

        var hasNews: Bool { underWay == nil && (entry?.progress.number ?? 0) > last }
    }

    /// More streams than fit on any page, and few enough to check each time.
    private static let mostWatched = 256

    private let registry: StreamRegistry
    private var watched: [Watched] = []
    /// Where the search for the next frame begins, so that every stream has its turn.
    private var turn = 0
    private var input = WebSocketInput()
    private var closing: [UInt8]?
    private var pong: [UInt8]?
    /// Only the newest listing waits: a slow page does not get outdated ones.
    private var listing: [UInt8]?

    /// - Parameter limit: When the connection ends because there is no place for it; nil = there is
    ///   one.
    init(
        _ stream: ClientStream, _ registry: StreamRegistry, _ permit: ViewerPermit, _ encoder: PreviewEncoder,
        turnedAwayUntil limit: MonotonicTime? = nil, greeting: [UInt8]
    ) {
        self.registry = registry
        super.init(stream, permit, encoder, until: limit, greeting: greeting)
        if limit != nil {
            close(1013, "too many viewers: close one, or try again later")
        } else {
            listing = WebSocketOutput.text(registry.listing(type: "streams"))
        }
    }

    override var hasMessage: Bool {
        closing != nil || pong != nil || listing != nil || watched.contains { $0.hasNews }
    }

    /// The frame before was acknowledged, so none of it waits in the kernel, and poll need not be
    /// asked.
    override var isKnownToBeReady: Bool { closing == nil && watched.contains { $0.hasNews } && watched.count == 1 }

    override func nextMessage(at now: MonotonicTime) -> ViewerMessage? {
        if let closing = closing.take() {
            end()
            return ViewerMessage(head: closing)
        }
        if let text = pong.take() ?? listing.take() { return ViewerMessage(head: text) }
        for step in watched.indices {
            let index = (turn + step) % watched.count
            guard let message = nextPicture(of: index, at: now) else { continue }
            turn = index + 1
            return message
        }
        return nil
    }

    private func nextPicture(of index: Int, at now: MonotonicTime) -> ViewerMessage? {
        guard watched[index].underWay == nil, let entry = watched[index].entry else { return nil }
        guard let picture = entry.newest, picture.number > watched[index].last else { return nil }
        let before = watched[index].last
        watched[index].last = picture.number
        guard let jpeg = try? encoder.jpeg(of: picture, entry) else { return nil }
        watched[index].underWay = picture.number
        entry.countSent(jpeg.byteCount)
        let header = LiveFrameHeader.json(
            quotedStream: entry.quotedName, sequence: picture.number, width: jpeg.format.width,
            height: jpeg.format.height, quality: jpeg.quality,
            skipped: before == 0 ? 0 : picture.number - before - 1, age: picture.age(at: now))
        return ViewerMessage(head: WebSocketOutput.pictureHead(header, imageBytes: jpeg.byteCount), image: jpeg)
    }

    // MARK: Messages of the page

    /// The memory that input takes.
    var inputBytes: Int { input.keptBytes }

    override func receive(_ bytes: ArraySlice<UInt8>) {
        // Nothing takes it any more.
        guard closing == nil else { return }
        input.append(bytes)
        do throws(WebSocketInput.Violation) {
            while closing == nil, let event = try input.next() {
                switch event {
                case .text(let text): try take(text)
                case .binary(let bytes): try acknowledge(bytes)
                case .ping(let payload): pong = WebSocketOutput.pong(payload)
                case .closed: close(1000, "")
                }
            }
        } catch {
            close(error.code, error.reason)
        }
    }

    private func take(_ text: [UInt8]) throws(WebSocketInput.Violation) {
        guard let message = LiveMessage(text), message.type == "watch", let names = message.streams else {
            throw Self.rubbish("a text message must be {\"type\":\"watch\",\"streams\":[...]}")
        }
        guard names.count <= Self.mostWatched else {
            throw Self.rubbish("a watch message names at most \(Self.mostWatched) streams")
        }
        watch(names)
    }

    private func acknowledge(_ bytes: [UInt8]) throws(WebSocketInput.Violation) {
        guard let drawn = LiveAcknowledgement(bytes) else {
            throw Self.rubbish("a binary message must be a picture's number, in eight bytes, and its stream's name")
        }
        // An acknowledgement for a stream that is no longer watched is valid: its frame was in
        // flight.
        if let index = watched.firstIndex(where: { $0.name == drawn.stream }), watched[index].underWay == drawn.sequence
        {
            watched[index].underWay = nil
        }
    }

    private static func rubbish(_ reason: String) -> WebSocketInput.Violation {
        WebSocketInput.Violation(code: 1008, reason: reason)
    }

    private func watch(_ names: [String]) {
        let before = watched
        let entries = registry.entries
        var next: [Watched] = []
        for name in names where !next.contains(where: { $0.name == name }) {
            // A stream that is still watched keeps its frame in flight.
            next.append(before.first { $0.name == name } ?? Watched(name: name))
        }
        for old in before where !next.contains(where: { $0.name == old.name }) { old.entry?.count(viewers: -1) }
        watched = next
        find(in: entries)
    }

    /// Finds the entries of the watched names. A stream may appear after the page asked for it, and
    /// another stream may have taken its name.
    private func find(in entries: [StreamEntry]) {
        for index in watched.indices {
            let entry = entries.first { $0.name == watched[index].name }
            guard entry !== watched[index].entry else { continue }
            watched[index].entry?.count(viewers: -1)
            entry?.count(viewers: 1)
            watched[index].entry = entry
            watched[index].last = 0
            watched[index].underWay = nil
        }
    }

    override func update(_ entries: [StreamEntry], listing: () -> [UInt8]) {
        find(in: entries)
        if !isEnding, closing == nil { self.listing = listing() }
    }

    // MARK: The end

    private func close(_ code: UInt16, _ reason: String) {
        closing = WebSocketOutput.close(code, reason)
    }

    override func close() { close(1001, "the server ends") }

    override func leave() {
        for stream in watched { stream.entry?.count(viewers: -1) }
        watched = []
    }
}
