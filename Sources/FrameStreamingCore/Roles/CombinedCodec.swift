internal import FrameStreamingSystem

/// One codec for encoding, and any number for decoding: for receivers that take several formats, and for
/// senders whose source is compressed otherwise than the frames are to be.
///
/// ```swift
/// let codec = CombinedCodec(encoding: video, decoding: [JPEGCodec(), video])
/// var options = SenderOptions(for: camera)
/// options.passesOnJPEG = false
/// ```
///
/// A compressed picture that is to be encoded is decoded first, to I420. Each frame is decoded by the
/// first codec that lists its format (``FrameCodec/decodableFormats``).
public struct CombinedCodec: FrameCodec {
    private let encoder: any FrameCodec
    private let decoders: [any FrameCodec]

    /// - Parameters:
    ///   - encoder: Encodes pictures.
    ///   - decoders: Decode frames. One that lists no formats takes all that the ones before it do not.
    public init(encoding encoder: any FrameCodec, decoding decoders: [any FrameCodec]) {
        self.encoder = encoder
        self.decoders = decoders
    }

    /// Whether one of the codecs has.
    public var hasMemory: Bool { encoder.hasMemory || decoders.contains { $0.hasMemory } }

    /// The encoder's.
    public var encodedFormats: [PixelFormat] { encoder.encodedFormats }

    /// Those of all decoders, the first one's first; empty if one takes any.
    public var decodableFormats: [PixelFormat] {
        guard !decoders.contains(where: { $0.decodableFormats.isEmpty }) else { return [] }
        var seen: Set<PixelFormat> = []
        return decoders.flatMap(\.decodableFormats).filter { seen.insert($0).inserted }
    }

    /// Encodes a picture, or a compressed one again.
    public func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        try encoder.encode(try raw(frame), settings)
    }

    /// Decodes a frame that stands alone.
    public func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        try decoders[try index(of: frame.format.pixelFormat)].decode(frame, settings)
    }

    /// The encoder's session, which decodes compressed pictures first.
    public func makeEncodingSession() throws(FrameStreamingError) -> any EncodingSession {
        CombinedEncoding(self, try encoder.makeEncodingSession())
    }

    /// A session with one of each decoder that is needed.
    public func makeDecodingSession() throws(FrameStreamingError) -> any DecodingSession {
        CombinedDecoding(self)
    }

    /// The picture for the encoder.
    fileprivate func raw(_ frame: Frame) throws(FrameStreamingError) -> Frame {
        let format = frame.format
        guard format.planeCount == 0, let decoder = decoders.first(where: { $0.lists(format.pixelFormat) }) else {
            return frame
        }
        return try decoder.decode(frame, DecodeSettings(pixelFormat: .i420))
    }

    fileprivate func index(of format: PixelFormat) throws(FrameStreamingError) -> Int {
        if let index = decoders.firstIndex(where: { $0.lists(format) || $0.decodableFormats.isEmpty }) {
            return index
        }
        throw FrameStreamingError(
            .unsupported, "\(format) is not decoded here, but \(PixelFormat.list(decodableFormats)): add a codec for it"
        )
    }

    fileprivate func session(_ index: Int) throws(FrameStreamingError) -> any DecodingSession {
        try decoders[index].makeDecodingSession()
    }
}

extension FrameCodec {
    fileprivate func lists(_ format: PixelFormat) -> Bool { decodableFormats.contains(format) }
}

private final class CombinedEncoding: EncodingSession {
    private let codec: CombinedCodec
    private let session: any EncodingSession

    init(_ codec: CombinedCodec, _ session: any EncodingSession) {
        self.codec = codec
        self.session = session
    }

    func encode(
        _ frame: Frame, _ settings: EncodeSettings, standsAlone: Bool
    ) throws(FrameStreamingError) -> Frame {
        try session.encode(try codec.raw(frame), settings, standsAlone: standsAlone)
    }
}

private final class CombinedDecoding: DecodingSession {
    private let codec: CombinedCodec
    /// The sessions so far, by the indices of their codecs.
    private let sessions = Monitor<[Int: any DecodingSession]>([:])

    init(_ codec: CombinedCodec) { self.codec = codec }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        let index = try codec.index(of: frame.format.pixelFormat)
        let session: any DecodingSession
        if let known = sessions.withLock({ $0[index] }) { session = known } else { session = try codec.session(index) }
        sessions.withLock { $0[index] = session }
        return try session.decode(frame, settings)
    }
}
