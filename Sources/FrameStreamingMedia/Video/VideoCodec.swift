public import FrameStreamingCore

/// H.264, VP8 and VP9, by FFmpeg's libavcodec: a tenth of JPEG's bytes, or fewer.
///
/// ```swift
/// let codec = try VideoCodec(.h264)
/// let sender = try FrameSender(codec: codec, transport: transport, options: options)
/// ```
///
/// The encoders have no delay: no B-frames, no look-ahead, a frame out for each picture in. Frames depend
/// on those before them (`FrameCodec/hasMemory`). Key frames come only when a receiver needs one.
///
/// Decoders refuse what is damaged: they do not conceal it.
///
/// Pictures of any raw format are taken; what is not 4:2:0 is converted to it. The quality is a constant
/// one (CRF), so the size of a frame follows what moves: `EncodeSettings/quality` 80 looks like a JPEG of
/// quality 80. `EncodeSettings/subsampling` has no effect.
///
/// Any number of threads may use it, and each session one at a time.
public struct VideoCodec: FrameCodec {
    /// What the frames are compressed to.
    public let format: VideoFormat
    /// FFmpeg's name of the encoder, such as `libx264` or `h264_v4l2m2m`.
    public let encoder: String
    /// Larger pictures are refused before they are decoded.
    public let maximumPixels: Int
    private let encodedPool = FramePool(capacity: 8)
    private let decodedPool = FramePool(capacity: 8)

    /// The limit of pixels unless another is given: 8192 by 8192.
    public static let standardMaximumPixels = 1 << 26

    /// - Parameters:
    ///   - format: What pictures are compressed to. All formats are decoded.
    ///   - encoder: FFmpeg's name of another encoder: `h264_v4l2m2m`, `h264_vaapi`; nil = `libx264`,
    ///     `libvpx` or `libvpx-vp9`.
    ///   - maximumPixels: The pixels that a picture may have.
    /// - Throws: `unsupported` if this machine's FFmpeg does not have the encoder, or if it is for another
    ///   format.
    public init(
        _ format: VideoFormat, encoder: String? = nil, maximumPixels: Int = VideoCodec.standardMaximumPixels
    ) throws(FrameStreamingError) {
        self.format = format
        self.encoder = encoder ?? format.usualEncoder
        self.maximumPixels = maximumPixels
        try EncoderTuning.check(self.encoder, makes: format)
    }

    /// True.
    public var hasMemory: Bool { true }
    /// The format that it encodes to.
    public var encodedFormats: [PixelFormat] { [format.pixelFormat] }
    /// All formats of ``VideoFormat``.
    public var decodableFormats: [PixelFormat] { VideoFormat.allCases.map(\.pixelFormat) }

    /// Encodes a single picture, with an encoder of its own.
    public func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        try makeEncodingSession().encode(frame, settings, standsAlone: true)
    }

    /// Decodes a frame that stands alone, with a decoder of its own.
    public func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        try makeDecodingSession().decode(frame, settings)
    }

    /// Makes an encoder. The first picture sets its size.
    public func makeEncodingSession() throws(FrameStreamingError) -> any EncodingSession {
        VideoEncodingSession(self, encodedPool)
    }

    /// Makes a decoder. The first frame sets its format.
    public func makeDecodingSession() throws(FrameStreamingError) -> any DecodingSession {
        VideoDecodingSession(maximumPixels: maximumPixels, decodedPool)
    }
}
