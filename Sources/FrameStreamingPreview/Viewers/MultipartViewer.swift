internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A program that reads a stream as `multipart/x-mixed-replace`. It does not say what it has shown, so a picture counts as under way until
/// the network has taken it, and the next one is then the newest there is.
final class MultipartViewer: Viewer {
    /// In no JPEG: FF is followed by a marker or 00, and the rest is told by each part's length anyway.
    static let boundary = "framestreaming-picture"

    private let tile: StreamTile
    private var last = 0
    private var hasBegun = false
    private var hasLeft = false

    init(
        _ descriptor: Descriptor, _ tile: StreamTile, _ seat: Seat, _ pictures: PictureEncoding, greeting: [UInt8]
    ) {
        self.tile = tile
        super.init(descriptor, seat, pictures, greeting: greeting)
        tile.count(viewers: 1)
    }

    override var hasMessage: Bool {
        let (number, hasEnded) = tile.progress
        return number > last || hasEnded
    }

    override func nextMessage(at now: MonotonicTime) -> Outgoing? {
        while let picture = tile.newest, picture.number > last {
            last = picture.number
            guard let jpeg = try? pictures.jpeg(of: picture, tile) else { continue }
            tile.countSent(jpeg.byteCount)
            let head =
                (hasBegun ? "" : "--\(Self.boundary)\r\n")
                + "Content-Type: image/jpeg\r\nContent-Length: \(jpeg.byteCount)\r\nX-Timestamp: \(picture.timestamp)\r\n\r\n"
            hasBegun = true
            // The boundary behind the picture and not before the next: some viewers show a picture only when they have seen its end.
            return Outgoing(head: Array(head.utf8), image: jpeg, tail: Array("\r\n--\(Self.boundary)\r\n".utf8))
        }
        guard tile.progress.hasEnded else { return nil }
        end()
        return Outgoing(head: Array("\(hasBegun ? "\r\n" : "")--\(Self.boundary)--\r\n".utf8))
    }

    override func update(_ tiles: [StreamTile], listing: () -> [UInt8]) {
        // Forgotten: nobody will show anything there.
        if !tiles.contains(where: { $0 === tile }) { end() }
    }

    override func leave() {
        guard !hasLeft else { return }
        hasLeft = true
        tile.count(viewers: -1)
    }
}
