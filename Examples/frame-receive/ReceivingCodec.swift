import FrameStreaming

/// TurboJPEG for JPEGs, and FFmpeg for video where the program has it.
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
    private let video: (any FrameCodec)?
    let jpegs: JPEGs

    init(_ jpeg: JPEGCodec, video: (any FrameCodec)?, jpegs: JPEGs) {
        self.jpeg = jpeg
        self.video = video
        self.jpegs = jpegs
    }

    var hasMemory: Bool { video?.hasMemory ?? false }
    var decodableFormats: [PixelFormat] { jpeg.decodableFormats + (video?.decodableFormats ?? []) }

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        try jpeg.encode(frame, settings)
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        guard frame.format.pixelFormat == .jpeg else { return try videoCodec(frame).decode(frame, video(settings)) }
        return try decodeJPEG(frame, settings)
    }

    func makeDecodingSession() throws(FrameStreamingError) -> any DecodingSession {
        Session(self, try video?.makeDecodingSession())
    }

    private func videoCodec(_ frame: Frame) throws(FrameStreamingError) -> any FrameCodec {
        if let video { return video }
        throw Self.unknown(frame)
    }

    fileprivate static func unknown(_ frame: Frame) -> FrameStreamingError {
        FrameStreamingError(
            .unsupported,
            "\(frame.format.pixelFormat) is not decoded by this program: use the programs that make full builds")
    }

    fileprivate func decodeJPEG(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        var settings = settings
        switch jpegs {
        case .passedOn: return frame
        case .decoded: break
        case .decodedToTheirPlanes: settings.pixelFormat = try jpeg.nativePlaneFormat(of: frame)
        }
        return try jpeg.decode(frame, settings)
    }

    /// Video has planes of 4:2:0, unless something else was asked for.
    fileprivate func video(_ settings: DecodeSettings) -> DecodeSettings {
        var settings = settings
        if jpegs != .decoded { settings.pixelFormat = .i420 }
        return settings
    }

    private final class Session: DecodingSession {
        private let codec: ReceivingCodec
        private let video: (any DecodingSession)?

        init(_ codec: ReceivingCodec, _ video: (any DecodingSession)?) {
            self.codec = codec
            self.video = video
        }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            if frame.format.pixelFormat == .jpeg { return try codec.decodeJPEG(frame, settings) }
            guard let video else { throw ReceivingCodec.unknown(frame) }
            return try video.decode(frame, codec.video(settings))
        }
    }
}
