/// How to encode a picture. A codec uses the settings that it supports.
public struct EncodeSettings: Hashable, Sendable {
    /// 1 (smallest) ... 100 (best).
    public var quality: Int
    /// The chroma subsampling; nil = the codec's own choice.
    public var subsampling: ChromaSubsampling?
    /// The scale of the picture before it is encoded. A compressed picture is not scaled.
    public var scale: PictureScale
    /// The bytes that the frame should have at most, for codecs with memory (``FrameCodec/hasMemory``):
    /// within that they come as near as they can to ``quality``. Nil, the default, = as many as the
    /// quality needs. A sender with a ``SenderOptions/bitRate`` sets it for each frame.
    public var byteTarget: Int?

    /// Quality 80, the codec's own subsampling and the picture's own size, unless given.
    public init(quality: Int = 80, subsampling: ChromaSubsampling? = nil, scale: PictureScale = .full) {
        self.quality = quality
        self.subsampling = subsampling
        self.scale = scale
    }

    /// - Throws: `invalidArgument` for a quality outside 1...100, or a number of bytes below 1.
    package func check() throws(FrameStreamingError) {
        guard (1...100).contains(quality) else {
            throw FrameStreamingError(.invalidArgument, "quality must be 1 (smallest) to 100 (best), not \(quality)")
        }
        if let byteTarget, byteTarget < 1 {
            throw FrameStreamingError(.invalidArgument, "a frame has 1 byte or more, not \(byteTarget)")
        }
    }
}

/// The scale of a picture, in decoding (cheaper than decoding it in
/// full size) or before it is encoded.
public struct PictureScale: Hashable, Sendable, CustomStringConvertible {
    private let divisor: Int

    private init(divisor: Int) { self.divisor = divisor }

    /// The full size.
    public static let full = PictureScale(divisor: 1)
    /// Half the width and height.
    public static let half = PictureScale(divisor: 2)
    /// A quarter of the width and height.
    public static let quarter = PictureScale(divisor: 4)
    /// An eighth of the width and height.
    public static let eighth = PictureScale(divisor: 8)

    /// The scaled length of a side, rounded up as TurboJPEG's TJSCALED does.
    public func scaled(_ length: Int) -> Int { (length + divisor - 1) / divisor }

    /// The denominator of the scale: 1, 2, 4 or 8.
    public var denominator: Int { divisor }

    /// `1/2` and the like.
    public var description: String { "1/\(divisor)" }
}

/// How to decode a picture.
public struct DecodeSettings: Hashable, Sendable {
    /// The pixel format of the result.
    public var pixelFormat: PixelFormat
    /// The scale of the result.
    public var scale: PictureScale

    /// BGR at full size, unless given.
    public init(pixelFormat: PixelFormat = .bgr24, scale: PictureScale = .full) {
        self.pixelFormat = pixelFormat
        self.scale = scale
    }
}

/// Compresses pictures, and decompresses them.
///
/// Any number of threads call at once. The result keeps the description of the picture
/// (``Frame/takeDescription(of:)``). A sender does not encode pictures that are encoded already:
/// JPEGs, and those in one of the codec's ``encodedFormats``.
public protocol FrameCodec: Sendable {
    /// The compressed form of `frame`.
    ///
    /// - Throws: `unsupported` for a pixel format that the codec does not take;
    ///   `invalidArgument` for invalid settings.
    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame

    /// The picture in `frame`.
    ///
    /// A receiver counts a frame that fails, and goes on with the next. `invalidArgument` ends it,
    /// because every frame would fail with the same settings.
    ///
    /// - Throws: `corruptImage` if it does not decode; `limitExceeded` if it claims to be larger
    ///   than the codec allows; `unsupported` for a frame of a kind that the codec does not decode;
    ///   `invalidArgument` for settings that it cannot follow, such as a pixel format. A codec with
    ///   one result may ignore them.
    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame

    /// The pixel formats that ``decode(_:_:)`` takes; empty, the default, = not known.
    ///
    /// A ``FrameReceiver`` ends with `unsupported` when its first frame has another. A receiver can
    /// tell its sender before that, in the handshake: `role: .receiver(for: codec)`.
    var decodableFormats: [PixelFormat] { get }

    /// The pixel formats of what ``encode(_:_:)`` returns; empty, the default, = not known.
    ///
    /// A ``FrameSender`` reads it once, and sends frames that its source gives in one of these
    /// formats as they are. So a relay of frames in a format of your own needs a codec that names
    /// it here. JPEGs are sent as they are, too (`SenderOptions/passesOnJPEG`). A sender can tell its
    /// receiver in the handshake: `options.pixelFormats = codec.encodedFormats`.
    var encodedFormats: [PixelFormat] { get }

    /// Whether frames depend on those before them, as those of H.264 do; false by default.
    ///
    /// Then senders and receivers use the sessions below, and the two methods above are for single
    /// pictures: ``encode(_:_:)`` returns a frame that stands alone, and ``decode(_:_:)`` takes one.
    /// Constant.
    var hasMemory: Bool { get }

    /// Makes the encoder of one stream.
    ///
    /// - Throws: `unsupported` or `invalidArgument` if the machine or the settings do not allow it;
    ///   `system` without memory or a device. The frames then count as failed.
    func makeEncodingSession() throws(FrameStreamingError) -> any EncodingSession

    /// Makes the decoder of one stream.
    ///
    /// - Throws: As ``makeEncodingSession()``.
    func makeDecodingSession() throws(FrameStreamingError) -> any DecodingSession
}

extension FrameCodec {
    /// Not known.
    public var decodableFormats: [PixelFormat] { [] }
    /// Not known.
    public var encodedFormats: [PixelFormat] { [] }

    /// Throws where the codec is known not to decode such a frame.
    func checkDecodable(_ format: PixelFormat) throws(FrameStreamingError) {
        let known = decodableFormats
        if known.isEmpty || known.contains(format) { return }
        throw FrameStreamingError(
            .unsupported,
            "the frames are \(format), and the receiver's codec decodes \(PixelFormat.list(known)) only: use a codec for \(format), or take the frames as they come (decode: nil)"
        )
    }
}

extension PixelFormat {
    /// The formats' names for a message.
    package static func list(_ formats: [PixelFormat]) -> String {
        formats.map(\.description).joined(separator: ", ")
    }
}
