public import FrameStreamingCore

/// A codec that changes nothing: raw frames are sent as they are.
public struct IdentityCodec: FrameCodec {
    /// Creates the codec.
    public init() {}

    /// Returns the same frame.
    public func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

    /// Returns the same frame.
    public func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
}
