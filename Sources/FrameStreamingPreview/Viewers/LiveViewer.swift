internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A page at the WebSocket. It says which streams it wants to see, and acknowledges each picture that it has drawn: of each stream one is
/// under way, and the next one is then the newest there is, so a slow browser sees fewer pictures and no old ones.
final class LiveViewer: Viewer {
    private struct Watched {
        let name: String
        var tile: StreamTile?
        /// The last picture that was sent.
        var last = 0
        /// Sent, and not acknowledged.
        var underWay: Int?

        var hasNews: Bool { underWay == nil && (tile?.progress.number ?? 0) > last }
    }

    /// More than fit on any page, and few enough to look at each time.
    private static let mostWatched = 256

    private let registry: StreamRegistry
    private var watched: [Watched] = []
    /// Where the search for the next picture begins, so that every stream has its turn.
    private var turn = 0
    private var input = WebSocketInput()
    private var closing: [UInt8]?
    private var pong: [UInt8]?
    /// The newest only: a page that is slow is not told how it was.
    private var listing: [UInt8]?

    init(
        _ descriptor: Descriptor, _ registry: StreamRegistry, _ seat: Seat?, _ pictures: PictureEncoding,
        greeting: [UInt8]
    ) {
        self.registry = registry
        super.init(descriptor, seat, pictures, greeting: greeting)
        if seat == nil {
            close(1013, "too many viewers: close one, or try again later")
        } else {
            listing = WebSocketOutput.text(registry.listing(type: "streams"))
        }
    }

    override var hasMessage: Bool {
        closing != nil || pong != nil || listing != nil || watched.contains { $0.hasNews }
    }

    /// What was sent before was acknowledged: nothing of it waits in the kernel, so it need not be asked.
    override var isKnownToBeReady: Bool { closing == nil && watched.contains { $0.hasNews } && watched.count == 1 }

    override func nextMessage(at now: MonotonicTime) -> Outgoing? {
        if let closing = closing.take() {
            end()
            return Outgoing(head: closing)
        }
        if let text = pong.take() ?? listing.take() { return Outgoing(head: text) }
        for step in watched.indices {
            let index = (turn + step) % watched.count
            guard let message = nextPicture(of: index, at: now) else { continue }
            turn = index + 1
            return message
        }
        return nil
    }

    private func nextPicture(of index: Int, at now: MonotonicTime) -> Outgoing? {
        guard watched[index].underWay == nil, let tile = watched[index].tile else { return nil }
        guard let picture = tile.newest, picture.number > watched[index].last else { return nil }
        let before = watched[index].last
        watched[index].last = picture.number
        guard let jpeg = try? pictures.jpeg(of: picture, tile) else { return nil }
        watched[index].underWay = picture.number
        tile.countSent(jpeg.byteCount)
        let header = PictureHeader.json(
            quotedStream: tile.quotedName, sequence: picture.number, width: jpeg.format.width,
            height: jpeg.format.height, quality: jpeg.quality,
            skipped: before == 0 ? 0 : picture.number - before - 1, age: picture.age(at: now))
        return Outgoing(head: WebSocketOutput.pictureHead(header, imageBytes: jpeg.byteCount), image: jpeg)
    }

    // MARK: What the page says

    override func receive(_ bytes: ArraySlice<UInt8>) {
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
            throw Self.rubbish("what is said as text is {\"type\":\"watch\",\"streams\":[...]}")
        }
        guard names.count <= Self.mostWatched else {
            throw Self.rubbish("streams are at most \(Self.mostWatched) names")
        }
        watch(names)
    }

    private func acknowledge(_ bytes: [UInt8]) throws(WebSocketInput.Violation) {
        guard let drawn = LiveAcknowledgement(bytes) else {
            throw Self.rubbish("what is said in bytes is the number of a picture, in eight, and the name of its stream")
        }
        // One that was asked for no more while its picture was under way is no fault.
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
        let tiles = registry.tiles
        var next: [Watched] = []
        for name in names where !next.contains(where: { $0.name == name }) {
            // One that goes on keeps what is under way.
            next.append(before.first { $0.name == name } ?? Watched(name: name))
        }
        for old in before where !next.contains(where: { $0.name == old.name }) { old.tile?.count(viewers: -1) }
        watched = next
        find(in: tiles)
    }

    /// Streams may come after they were asked for, and under their name another may have come meanwhile.
    private func find(in tiles: [StreamTile]) {
        for index in watched.indices {
            let tile = tiles.first { $0.name == watched[index].name }
            guard tile !== watched[index].tile else { continue }
            watched[index].tile?.count(viewers: -1)
            tile?.count(viewers: 1)
            watched[index].tile = tile
            watched[index].last = 0
            watched[index].underWay = nil
        }
    }

    override func update(_ tiles: [StreamTile], listing: () -> [UInt8]) {
        find(in: tiles)
        if !isEnding, closing == nil { self.listing = listing() }
    }

    // MARK: Ends

    private func close(_ code: UInt16, _ reason: String) {
        closing = WebSocketOutput.close(code, reason)
    }

    override func close() { close(1001, "the server ends") }

    override func leave() {
        for stream in watched { stream.tile?.count(viewers: -1) }
        watched = []
    }
}
