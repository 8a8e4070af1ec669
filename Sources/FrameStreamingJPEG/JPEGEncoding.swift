public import FrameStreamingCore

extension JPEGCodec {
    /// The JPEG of `frame`.
    ///
    /// Every named pixel format is taken: RGB24, BGR24, RGBA32 and BGRA32 (alpha is dropped) with their line padding, of limited
    /// range too (16...235, as HDMI has it);
    /// YUV without a detour over RGB, planes in place where they are full range, of the wanted subsampling and of a
    /// size in whole chroma groups, and in one pass over the picture otherwise. Chroma is averaged or repeated where
    /// the subsampling changes. YUV of BT.709 and BT.2020 becomes BT.601 in that pass; gray is the same in all. A frame that is a JPEG is returned as it is, whatever the settings.
    ///
    /// - Parameters:
    ///   - frame: The picture.
    ///   - settings: Quality 1...100; subsampling nil = the codec's. GRAY8 stays gray whatever is asked.
    /// - Returns: A frame of the same description, full range and BT.601, with its quality; `Frame/sourceColorRange` is
    ///   `frame`'s.
    /// - Throws: `invalidArgument` for another quality; `unsupported` for a pixel format without a name and for sides
    ///   longer than 65,500; `limitExceeded` beyond ``maximumPixels``.
    public func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        let format = frame.format
        if format.pixelFormat == .jpeg { return frame }
        guard (1...100).contains(settings.quality) else {
            throw FrameStreamingError(
                .invalidArgument, "JPEG quality \(settings.quality) cannot be: choose 1 (smallest) to 100 (best)")
        }
        try checkSize(width: format.width, height: format.height)
        guard max(format.width, format.height) <= TurboHandle.largestSide else {
            throw FrameStreamingError(
                .unsupported,
                "\(format.width)x\(format.height) does not fit a JPEG: crop or scale it to at most \(TurboHandle.largestSide) a side"
            )
        }
        let wanted = settings.subsampling ?? subsampling ?? .yuv420
        let compressor = try compressors.checkOut()
        defer { compressors.giveBack(compressor) }
        let buffer = try compressor.compress(
            frame, quality: settings.quality, subsampling: format.pixelFormat == .gray8 ? .gray : wanted,
            into: encodedPool)
        var result = try buffer.makeFrame(
            format: FrameFormat(
                width: format.width, height: format.height, pixelFormat: .jpeg, colorRange: .full,
                colorMatrix: .bt601))
        result.takeDescription(of: frame)
        result.quality = settings.quality
        return result
    }
}
