internal import FrameStreamingCore

/// Encodes and scales the frames that viewers get.
struct PreviewEncoder: Sendable {
    let codec: any FrameCodec
    let quality: Int

    /// Returns the frame as JPEG. A frame that fails to encode counts as dropped, once.
    func jpeg(of picture: PreviewFrame, _ entry: StreamEntry) throws(FrameStreamingError) -> Frame {
        do throws(FrameStreamingError) {
            return try picture.jpeg(codec, quality: quality)
        } catch {
            if picture.isFirstFailure { entry.countDropped("unencodable") }
            throw error
        }
    }

    /// Returns a smaller JPEG of the frame. A JPEG is decoded at that size, which costs less than
    /// decoding all of it.
    func smaller(_ picture: PreviewFrame, _ scale: PictureScale) throws(FrameStreamingError) -> Frame {
        guard picture.frame.format.pixelFormat == .jpeg else {
            return try codec.encode(picture.frame, EncodeSettings(quality: quality, scale: scale))
        }
        let small = try codec.decode(picture.frame, DecodeSettings(pixelFormat: .i420, scale: scale))
        return try codec.encode(small, EncodeSettings(quality: quality))
    }
}
