public import FrameStreamingCore

extension JPEGCodec {
    /// The JPEG of `frame`.
    ///
    /// Every named pixel format is taken: RGB24, BGR24, RGBA32 and BGRA32 (alpha is dropped) with their line padding, of
    /// limited range too (16...235, as HDMI has it); YUV without a detour over RGB, planes in place where they are full
    /// range, BT.601, of the wanted subsampling and of a size in whole chroma groups, and in one pass over the picture
    /// otherwise. Chroma is averaged or repeated where the subsampling changes. BT.709 and BT.2020 become BT.601 in that
    /// pass; gray is the same in all. A frame that is a JPEG is returned as it is, whatever the settings but the scale.
    ///
    /// With a scale, each new pixel is the mean of those that it stands for, of as many as there are at the edges; the size
    /// is rounded up (`PictureScale.scaled`). It is done in the same pass, and each plane for itself.
    ///
    /// - Parameters:
    ///   - frame: The picture.
    ///   - settings: Quality 1...100; subsampling nil = the codec's; a scale. GRAY8 stays gray whatever is asked.
    /// - Returns: A frame of the same description, full range and BT.601, with its quality; `Frame/sourceColorRange` is
    ///   `frame`'s.
    /// - Throws: `invalidArgument` for another quality; `unsupported` for a pixel format without a name and for sides
    ///   longer than 65,500 (after scaling), and for a JPEG with a scale; `limitExceeded` beyond
    ///   ``maximumPixels`` (of the whole picture, also for a smaller scale).
    public func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        let format = frame.format
        if format.pixelFormat == .jpeg {
            guard settings.scale == .full else {
                throw FrameStreamingError(
                    .unsupported,
                    "a picture that is a JPEG already is not made smaller, for it would have to be encoded again: ask its source for a smaller size, or decode it at \(settings.scale)"
                )
            }
            return frame
        }
        guard (1...100).contains(settings.quality) else {
            throw FrameStreamingError(
                .invalidArgument, "JPEG quality \(settings.quality) cannot be: choose 1 (smallest) to 100 (best)")
        }
        try checkSize(width: format.width, height: format.height)
        let (width, height) = (settings.scale.scaled(format.width), settings.scale.scaled(format.height))
        guard max(width, height) <= TurboHandle.largestSide else {
            throw FrameStreamingError(
                .unsupported,
                "\(width)x\(height) does not fit a JPEG: crop or scale it to at most \(TurboHandle.largestSide) a side"
            )
        }
        let wanted = settings.subsampling ?? subsampling ?? .yuv420
        let compressor = try compressors.checkOut()
        defer { compressors.giveBack(compressor) }
        let buffer = try compressor.compress(
            frame, quality: settings.quality, subsampling: format.pixelFormat == .gray8 ? .gray : wanted,
            scale: settings.scale, into: encodedPool)
        var result = try buffer.makeFrame(
            format: FrameFormat(
                width: width, height: height, pixelFormat: .jpeg, colorRange: .full,
                colorMatrix: .bt601))
        result.takeDescription(of: frame)
        result.quality = settings.quality
        return result
    }
}
