import FrameStreamingJPEG

func thumbnail(of frame: Frame) throws(FrameStreamingError) -> (picture: Frame, small: Frame) {
    let codec = JPEGCodec(subsampling: .yuv444, strictness: .tolerant)
    let jpeg = try codec.encode(frame, EncodeSettings(quality: 60))
    let small = try codec.decode(jpeg, DecodeSettings(pixelFormat: .rgb24, scale: .quarter))
    print(codec.statistics.warnings, codec.decodableFormats.map(\.description))
    return (jpeg, small)
}
