internal import FrameStreaming

/// TurboJPEG, decoding to what the window's textures take without a conversion of
/// colours: planes of luma and chroma.
///
/// SDL has textures of 4:2:0 alone for planes; its packed 4:2:2 becomes RGB on the CPU before it is
/// drawn. So 4:2:0, which senders here make unless asked otherwise, is decoded to its own planes
/// and goes to the texture as it is; chroma of 4:2:2 (many cameras) and 4:4:4 is averaged on the
/// way, and a gray picture gets chroma of 128. JPEGs of RGB have no luma: they are decoded to BGRA.
struct ViewingCodec: FrameCodec {
    private let jpeg = JPEGCodec()
    /// The largest texture that there is: a larger picture is decoded
    /// to a half, a quarter or an eighth.
    let largest: Size

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        try jpeg.encode(frame, settings)
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        var settings = settings
        settings.scale = scale(for: Size(width: frame.format.width, height: frame.format.height))
        settings.pixelFormat = .i420
        do throws(FrameStreamingError) {
            return try jpeg.decode(frame, settings)
        } catch {
            // No planes of YUV. Anything else that is unsupported is so in BGRA, too.
            guard error.code == .unsupported else { throw error }
            settings.pixelFormat = .bgra32
            return try jpeg.decode(frame, settings)
        }
    }

    func scale(for picture: Size) -> PictureScale {
        let scales: [PictureScale] = [.full, .half, .quarter]
        return scales.first {
            $0.scaled(picture.width) <= largest.width && $0.scaled(picture.height) <= largest.height
        } ?? .eighth
    }
}
