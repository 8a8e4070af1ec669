import FrameStreaming

/// TurboJPEG, with the choice what becomes of a JPEG.
struct ReceivingCodec: FrameCodec {
    /// What becomes of a JPEG.
    enum JPEGs {
        /// It is decoded to the wanted pixel format.
        case decoded
        /// It is decoded to the planes that it has.
        case decodedToTheirPlanes
        /// It stays as it came, because a preview or a recording of JPEGs wants it so.
        case passedOn
    }

    private let jpeg: JPEGCodec
    private let jpegs: JPEGs

    init(_ jpeg: JPEGCodec, jpegs: JPEGs) {
        self.jpeg = jpeg
        self.jpegs = jpegs
    }

    var decodableFormats: [PixelFormat] { jpeg.decodableFormats }

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        try jpeg.encode(frame, settings)
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        var settings = settings
        switch jpegs {
        case .passedOn: return frame
        case .decoded: break
        case .decodedToTheirPlanes: settings.pixelFormat = try jpeg.nativePlaneFormat(of: frame)
        }
        return try jpeg.decode(frame, settings)
    }
}
