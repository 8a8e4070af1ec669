internal import FrameStreamingCore

/// A program that reads a stream as `multipart/x-mixed-replace`. It acknowledges nothing, so a
/// frame is in flight until the network has taken it. The next frame is the newest at that time.
final class MultipartViewer: Viewer {
    /// No JPEG contains it, because FF is followed by a marker or 00. Each part also states its
    /// length.
    static let boundary = "framestreaming-picture"

    private let entry: StreamEntry
    private var last = 0
    private var hasBegun = false
    private var hasLeft = false

    init(
        _ stream: ClientStream, _ entry: StreamEntry, _ permit: ViewerPermit, _ encoder: PreviewEncoder,
        greeting: [UInt8]
    ) {
        self.entry = entry
        super.init(stream, permit, encoder, greeting: greeting)
        entry.count(viewers: 1)
    }

    override var hasMessage: Bool {
        let (number, hasEnded) = entry.progress
        return number > last || hasEnded
    }

    override func nextMessage(at now: MonotonicTime) -> ViewerMessage? {
        while let picture = entry.newest, picture.number > last {
            last = picture.number
            guard let jpeg = try? encoder.jpeg(of: picture, entry) else { continue }
            entry.countSent(jpeg.byteCount)
            let head =
                (hasBegun ? "" : "--\(Self.boundary)\r\n")
                + "Content-Type: image/jpeg\r\nContent-Length: \(jpeg.byteCount)\r\nX-Timestamp: \(picture.timestamp)\r\n\r\n"
            hasBegun = true
            // The boundary is sent behind the frame and not before the next, because some viewers
            // show a frame only when they have seen its end.
            return ViewerMessage(head: Array(head.utf8), image: jpeg, tail: Array("\r\n--\(Self.boundary)\r\n".utf8))
        }
        guard entry.progress.hasEnded else { return nil }
        end()
        return ViewerMessage(head: Array("\(hasBegun ? "\r\n" : "")--\(Self.boundary)--\r\n".utf8))
    }

    override func update(_ entries: [StreamEntry], listing: () -> [UInt8]) {
        // The stream was forgotten, so no frame will follow.
        if !entries.contains(where: { $0 === entry }) { end() }
    }

    override func leave() {
        guard !hasLeft else { return }
        hasLeft = true
        entry.count(viewers: -1)
    }
}
