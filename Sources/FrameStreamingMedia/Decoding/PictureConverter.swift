internal import CFFmpeg
internal import FrameStreamingCore

/// Converts pictures that are laid out otherwise, with swscale: more bits, alpha, palettes, planes
/// in memory of their own. Range and weights of the colours stay as they are.
///
/// Unsafe code: the picture is the caller's, who holds it during the call.
@safe final class PictureConverter {
    private var swscale: Swscale?
    private let pool: FramePool
    private let maximumByteCount: Int

    init(pool: FramePool, maximumByteCount: Int) {
        self.pool = pool
        self.maximumByteCount = maximumByteCount
    }

    /// The picture in the nearest format, in memory of the pool.
    ///
    /// - Throws: `unsupported` for a format that FFmpeg does not convert; `limitExceeded`;
    ///   `invalidArgument` for a size that no Frame can have.
    func frame(of picture: UnsafeMutablePointer<AVFrame>) throws(FrameStreamingError) -> Frame {
        let format = unsafe AVPixelFormat(picture.pointee.format)
        guard let target = PictureShape.nearest(to: format) else { throw Self.unknown(format) }
        let layout = try unsafe Swscale.layout(
            target, width: Int(picture.pointee.width), height: Int(picture.pointee.height),
            range: PictureShape.range(of: picture), matrix: PictureShape.matrix(of: picture))
        guard layout.byteCount <= maximumByteCount else {
            throw FrameStreamingError(
                .limitExceeded,
                "a picture of \(layout) has \(layout.byteCount) bytes, over the limit of \(maximumByteCount)")
        }
        // Without bicubic interpolation chroma that stays as it is would be changed, too.
        let conversion = unsafe Swscale.Conversion(
            width: picture.pointee.width, height: picture.pointee.height, format: Self.plain(format),
            isFull: layout.colorRange == .full, matrix: layout.colorMatrix, target: layout, method: SWS_BICUBIC)
        if swscale?.conversion != conversion { swscale = Swscale(conversion) }
        guard let swscale else { throw Self.unknown(format) }
        return try unsafe swscale.convert(picture, from: pool)
    }

    /// The format without the range in its name.
    private static func plain(_ format: AVPixelFormat) -> AVPixelFormat {
        switch format {
        case AV_PIX_FMT_YUVJ420P: AV_PIX_FMT_YUV420P
        case AV_PIX_FMT_YUVJ422P: AV_PIX_FMT_YUV422P
        case AV_PIX_FMT_YUVJ444P: AV_PIX_FMT_YUV444P
        case AV_PIX_FMT_YUVJ440P: AV_PIX_FMT_YUV440P
        case AV_PIX_FMT_YUVJ411P: AV_PIX_FMT_YUV411P
        default: format
        }
    }

    private static func unknown(_ format: AVPixelFormat) -> FrameStreamingError {
        let name = unsafe av_get_pix_fmt_name(format).map { unsafe String(cString: $0) } ?? "an unknown pixel format"
        return FrameStreamingError(.unsupported, "the pictures are \(name), which is not converted")
    }
}
