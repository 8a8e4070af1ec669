public import FrameStreamingCore

extension JPEGCodec {
    /// Encodes `frame` as JPEG.
    ///
    /// Every named pixel format is accepted:
    /// - RGB24, BGR24, RGBA32 and BGRA32 (alpha is dropped) with their line padding, in limited
    ///   range too (16...235, as in HDMI).
    /// - YUV without a detour over RGB. Planes are used in place if they are full range, BT.601, of
    ///   the wanted subsampling, and their size is a multiple of a chroma group. Otherwise they are
    ///   converted in one pass. Chroma is averaged or repeated where the subsampling changes.
    ///   BT.709 and BT.2020 become BT.601 in that pass.
    /// - GRAY8, which is the same in all matrices.
    /// - JPEG is returned unchanged, whatever the settings, as long as they do not ask for a scale.
    ///
    /// With a scale, each new pixel is the mean of the pixels that it covers; at the edges it
    /// covers fewer. The size is rounded up (`PictureScale.scaled`). Scaling happens in the same
    /// pass, for each plane separately.
    ///
    /// - Parameters:
    ///   - frame: The frame.
    ///   - settings: Quality 1...100; the subsampling, nil = the codec's; a scale. GRAY8 stays gray
    ///     whatever the subsampling.
    /// - Returns: A frame with the same description, full range and BT.601, with its quality;
    ///   `Frame/sourceColorRange` is that of `frame`.
    /// - Throws: `invalidArgument` for another quality. `unsupported` for a pixel format without a
    ///   name, for sides longer than 65,500 after scaling, and for a JPEG with a scale.
    ///   `limitExceeded` beyond ``maximumPixels`` before scaling.
    public func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        let format = frame.format
        if format.pixelFormat == .jpeg {
            guard settings.scale == .full else {
                throw FrameStreamingError(
                    .unsupported,
                    "a JPEG cannot be scaled without encoding it again: ask its source for a smaller size, or decode it at \(settings.scale)"
                )
            }
            return frame
        }
        guard (1...100).contains(settings.quality) else {
            throw FrameStreamingError(
                .invalidArgument, "JPEG quality must be 1 (smallest) to 100 (best), not \(settings.quality)")
        }
        try checkSize(width: format.width, height: format.height)
        let (width, height) = (settings.scale.scaled(format.width), settings.scale.scaled(format.height))
        guard max(width, height) <= TurboHandle.maximumSide else {
            throw FrameStreamingError(
                .unsupported,
                "\(width)x\(height) does not fit a JPEG: crop or scale it to at most \(TurboHandle.maximumSide) a side"
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
