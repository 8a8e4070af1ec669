internal import FrameStreaming

/// TurboJPEG, decoding to planes of luma and chroma, which the window's textures take
/// without a conversion of colours.
///
/// SDL's only textures with planes are 4:2:0; its packed 4:2:2 becomes RGB on the CPU before it is
/// drawn. So 4:2:0, the default of this package's senders, is decoded to its own planes and copied
/// to the texture as it is. Chroma of 4:2:2 (many cameras) and 4:4:4 is averaged, and a gray
/// picture gets chroma of 128. JPEGs of RGB and CMYK are converted.
struct ViewingCodec: FrameCodec {
    /// The largest texture. A larger picture is decoded to a half, a quarter or an eighth.
    let largest: Size
    var jpeg = JPEGCodec()

    var decodableFormats: [PixelFormat] { jpeg.decodableFormats }

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        try jpeg.encode(frame, settings)
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        var settings = settings
        settings.scale = scale(for: Size(width: frame.format.width, height: frame.format.height))
        settings.pixelFormat = .i420
        // A phone that is held upright says so in its pictures. Turned 4:2:0 stays 4:2:0.
        return try jpeg.decode(frame, settings).turned()
    }

    func scale(for picture: Size) -> PictureScale {
        let scales: [PictureScale] = [.full, .half, .quarter]
        return scales.first {
            $0.scaled(picture.width) <= largest.width && $0.scaled(picture.height) <= largest.height
        } ?? .eighth
    }
}
