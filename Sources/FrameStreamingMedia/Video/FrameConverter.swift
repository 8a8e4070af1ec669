internal import CFFmpeg
internal import FrameStreamingCore

/// Converts raw pictures to another format and size, with swscale.
///
/// Unsafe code: the picture is freed once, in the deinit, and used by one thread at a time. It holds the
/// source during a call.
@safe final class FrameConverter {
    private var swscale: Swscale?
    private let source: UnsafeMutablePointer<AVFrame>
    private let pool: FramePool

    init(_ pool: FramePool) throws(FrameStreamingError) {
        guard let picture = unsafe av_frame_alloc() else {
            throw FrameStreamingError(.system, "FFmpeg has no memory for a picture")
        }
        unsafe source = picture
        self.pool = pool
    }

    deinit {
        var picture: UnsafeMutablePointer<AVFrame>? = unsafe source
        unsafe av_frame_free(&picture)
    }

    /// The picture in another format and size; itself if it is so already.
    ///
    /// Luma and chroma made of RGB are BT.601, limited, unless the source says otherwise.
    func convert(
        _ frame: Frame, to pixelFormat: PixelFormat, width: Int, height: Int
    ) throws(FrameStreamingError) -> Frame {
        let format = frame.format
        if format.pixelFormat == pixelFormat, format.width == width, format.height == height { return frame }
        guard format.planeCount > 0 else {
            throw FrameStreamingError(.unsupported, "\(format.pixelFormat) is not converted: give raw pictures")
        }
        let conversion = Swscale.Conversion(
            width: CInt(format.width), height: CInt(format.height),
            format: PictureShape.format(ofPlanesOf: format.pixelFormat), isFull: format.colorRange == .full,
            matrix: format.colorMatrix, target: try Self.target(pixelFormat, width, height, of: format),
            method: SWS_AREA)
        if swscale?.conversion != conversion { swscale = Swscale(conversion) }
        guard let swscale else {
            throw FrameStreamingError(.unsupported, "\(format) is not converted to \(conversion.target)")
        }
        try unsafe BorrowedPicture.fill(source, with: frame)
        defer { unsafe av_frame_unref(source) }
        var result = try unsafe swscale.convert(source, from: pool)
        result.takeDescription(of: frame)
        return result
    }

    private static func target(
        _ pixelFormat: PixelFormat, _ width: Int, _ height: Int, of source: FrameFormat
    ) throws(FrameStreamingError) -> FrameFormat {
        let keeps = pixelFormat.isLumaChroma == source.pixelFormat.isLumaChroma
        let range: ColorRange = keeps ? source.colorRange : pixelFormat.isLumaChroma ? .limited : .full
        let matrix =
            source.colorMatrix == .unspecified && !source.pixelFormat.isLumaChroma ? .bt601 : source.colorMatrix
        return try Swscale.layout(pixelFormat, width: width, height: height, range: range, matrix: matrix)
    }
}

extension PixelFormat {
    /// Whether it has luma and chroma; gray counts, as its values are used as they are.
    var isLumaChroma: Bool { ![.rgb24, .bgr24, .rgba32, .bgra32].contains(self) }
}
