public import FrameStreamingCore

/// A codec that changes nothing: raw pictures go over the connection as they are.
public struct IdentityCodec: FrameCodec {
    /// The codec.
    public init() {}

    /// The same frame.
    public func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

    /// The same frame.
    public func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
}
