internal import FlyingFox
internal import FoundationEssentials
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The newest picture of a stream, as a file: `/streams/NAME.jpg`, and smaller with `?scale=1/2`.
final class Stills: Sendable {
    /// Of one stream and scale: who asks for the same picture again has the same bytes.
    private struct Scaled {
        let number: Int
        let jpeg: Frame
    }

    private struct Key: Hashable {
        let stream: String
        let scale: PictureScale
    }

    private let pictures: PictureEncoding
    private let scaled = Monitor<[Key: Scaled]>([:])
    /// Streams and scales of which one picture each is kept.
    private static let mostKept = 16
    /// Of this run of the server: a picture's number says which it is only within one.
    private let run = String(UInt64(bitPattern: monotonicNow()), radix: 36)

    init(_ pictures: PictureEncoding) { self.pictures = pictures }

    func answer(_ tile: StreamTile, _ request: HTTPRequest) -> HTTPResponse {
        guard let scale = Self.scale(request) else {
            return .sentence(.badRequest, "?scale= is 1/1, 1/2, 1/4 or 1/8.")
        }
        guard let picture = tile.newest else {
            return .sentence(
                .serviceUnavailable, "The stream \"\(tile.name)\" has no picture yet: try again soon.",
                [.retryAfter: "1"])
        }
        var headers = HTTPResponse.headers("image/jpeg")
        // Kept, if anywhere, only to be asked about again.
        headers[.cacheControl] = "no-cache"
        // Names may have what an entity tag may not; their hash is of this process, and so is the run.
        let name = String(UInt(bitPattern: tile.name.hashValue), radix: 36)
        let tag = "\"\(run)-\(name)-\(picture.number)-\(scale.denominator)\""
        headers[.eTag] = tag
        headers[HTTPHeader("X-Timestamp")] = picture.timestamp
        if let known = request.headers[.ifNoneMatch], Self.matches(known, tag) {
            return HTTPResponse(statusCode: .notModified, headers: headers)
        }
        do throws(FrameStreamingError) {
            let jpeg = try jpeg(of: picture, tile, scale)
            return HTTPResponse(statusCode: .ok, headers: headers, body: HTTPResponse.body(Data(bytesOf: jpeg)))
        } catch {
            return .sentence(.internalServerError, "The picture cannot be shown: \(error.message)")
        }
    }

    private func jpeg(
        of picture: Picture, _ tile: StreamTile, _ scale: PictureScale
    ) throws(FrameStreamingError) -> Frame {
        if scale == .full { return try pictures.jpeg(of: picture, tile) }
        let key = Key(stream: tile.name, scale: scale)
        if let kept = scaled.withLock({ $0[key] }), kept.number == picture.number { return kept.jpeg }
        let jpeg = try pictures.smaller(picture, scale)
        scaled.withLock { scaled in
            if scaled.count >= Self.mostKept { scaled.removeAll() }
            scaled[key] = Scaled(number: picture.number, jpeg: jpeg)
        }
        return jpeg
    }

    /// Nil for one that there is not.
    private static func scale(_ request: HTTPRequest) -> PictureScale? {
        guard let text = request.query.first(where: { $0.name == "scale" })?.value else { return .full }
        return [.full, .half, .quarter, .eighth].first { $0.description == text }
    }

    /// Whether an If-None-Match names the picture: `*` or a list, weak or not (RFC 9110, 13.1.2).
    private static func matches(_ header: String, _ tag: String) -> Bool {
        header.split(separator: ",").contains { entry in
            var entry = entry.drop { $0 == " " || $0 == "\t" }
            while entry.last == " " || entry.last == "\t" { entry.removeLast() }
            if entry.hasPrefix("W/") { entry = entry.dropFirst(2) }
            return entry == "*" || entry == tag
        }
    }
}
