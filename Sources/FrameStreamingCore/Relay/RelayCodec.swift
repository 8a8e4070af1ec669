/// The codec of a relay: frames are passed on as they came, whatever their format.
struct RelayCodec: FrameCodec {
    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
}
