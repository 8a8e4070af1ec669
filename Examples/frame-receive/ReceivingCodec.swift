import FrameStreaming

/// TurboJPEG, with the choice to keep the planes as the JPEG has them.
struct ReceivingCodec: FrameCodec {
    private let jpeg: JPEGCodec
    let keepsSampling: Bool

    init(keepsSampling: Bool, _ jpeg: JPEGCodec) {
        self.keepsSampling = keepsSampling
        self.jpeg = jpeg
    }

    var decodableFormats: [PixelFormat] { jpeg.decodableFormats }

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        try jpeg.encode(frame, settings)
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        var settings = settings
        if keepsSampling { settings.pixelFormat = try jpeg.nativePlaneFormat(of: frame) }
        return try jpeg.decode(frame, settings)
    }
}
