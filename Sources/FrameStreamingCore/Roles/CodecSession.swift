/// The encoder of one stream: it compresses each picture with the help of those before it, as H.264 and
/// VP8 do.
///
/// A sender makes one for each receiver, or one for all receivers that keep up, with
/// ``FrameCodec/makeEncodingSession()``. It encodes a picture only when a receiver has credit, and
/// sends every frame of a session in order. So a frame never depends on one that was dropped.
///
/// It is called by one thread at a time, and not always by the same.
public protocol EncodingSession: AnyObject, Sendable {
    /// The compressed form of `frame`, with its description (``Frame/takeDescription(of:)``).
    ///
    /// ``Frame/dependsOnPrevious`` of the result states whether it can only be decoded after the result
    /// of the call before. The first result stands alone.
    ///
    /// After an error the session is not used any more: another one encodes the next picture.
    ///
    /// - Parameters:
    ///   - frame: The next picture. Its size and format may differ from those before.
    ///   - settings: How to encode it.
    ///   - standsAlone: Whether the result must not depend on a frame before it: a key frame. Without
    ///     it the session decides.
    /// - Throws: As ``FrameCodec/encode(_:_:)``.
    func encode(
        _ frame: Frame, _ settings: EncodeSettings, standsAlone: Bool
    ) throws(FrameStreamingError) -> Frame
}

/// The decoder of one stream.
///
/// A receiver makes one for each connection, with ``FrameCodec/makeDecodingSession()``, and another
/// after an error. It gets the frames in order, from one that stands alone. A frame whose reference did
/// not decode is refused without a call.
///
/// It is called by one thread at a time, and not always by the same.
public protocol DecodingSession: AnyObject, Sendable {
    /// The picture in `frame`.
    ///
    /// A session must throw rather than conceal what it could not decode: a picture made of wrong
    /// references is worse than none.
    ///
    /// - Throws: As ``FrameCodec/decode(_:_:)``.
    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame
}

/// The encoder of a codec whose frames stand alone: the codec itself.
private final class IndependentEncoding: EncodingSession {
    private let codec: any FrameCodec

    init(_ codec: any FrameCodec) { self.codec = codec }

    func encode(
        _ frame: Frame, _ settings: EncodeSettings, standsAlone: Bool
    ) throws(FrameStreamingError) -> Frame { try codec.encode(frame, settings) }
}

/// The decoder of a codec whose frames stand alone: the codec itself.
private final class IndependentDecoding: DecodingSession {
    private let codec: any FrameCodec

    init(_ codec: any FrameCodec) { self.codec = codec }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        try codec.decode(frame, settings)
    }
}

extension FrameCodec {
    /// False.
    public var hasMemory: Bool { false }

    /// A session that encodes each picture by itself.
    public func makeEncodingSession() throws(FrameStreamingError) -> any EncodingSession {
        IndependentEncoding(self)
    }

    /// A session that decodes each frame by itself.
    public func makeDecodingSession() throws(FrameStreamingError) -> any DecodingSession {
        IndependentDecoding(self)
    }
}
