internal import FrameStreamingCore

/// How pictures become JPEGs, where they are none.
struct PictureEncoding: Sendable {
    let codec: any FrameCodec
    let quality: Int

    /// The picture's JPEG. One that cannot be made is counted, once.
    func jpeg(of picture: Picture, _ tile: StreamTile) throws(FrameStreamingError) -> Frame {
        do throws(FrameStreamingError) {
            return try picture.jpeg(codec, quality: quality)
        } catch {
            if picture.isFirstFailure { tile.countDropped("unencodable") }
            throw error
        }
    }

    /// A smaller JPEG of the picture: decoded at that size where it is one, which costs less than decoding it whole.
    func smaller(_ picture: Picture, _ scale: PictureScale) throws(FrameStreamingError) -> Frame {
        guard picture.frame.format.pixelFormat == .jpeg else {
            return try codec.encode(picture.frame, EncodeSettings(quality: quality, scale: scale))
        }
        let small = try codec.decode(picture.frame, DecodeSettings(pixelFormat: .i420, scale: scale))
        return try codec.encode(small, EncodeSettings(quality: quality))
    }
}
