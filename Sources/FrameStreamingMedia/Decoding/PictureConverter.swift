internal import CFFmpeg
internal import FrameStreamingCore

/// Converts pictures that are laid out otherwise, with swscale: more bits, alpha, palettes, planes
/// in memory of their own. Range and weights of the colours stay as they are.
///
/// Unsafe code: the context is freed once, in the deinit, and used by one thread at a time. The
/// target has as much memory behind its planes as swscale may touch.
@safe final class PictureConverter {
    private var context: OpaquePointer?
    private var shape: Shape?
    private let pool: FramePool
    private let maximumByteCount: Int

    private struct Shape: Equatable {
        var width: CInt
        var height: CInt
        var format: CInt
        var isFull: Bool
        var matrix: ColorMatrix
    }

    init(pool: FramePool, maximumByteCount: Int) {
        self.pool = pool
        self.maximumByteCount = maximumByteCount
    }

    deinit { unsafe sws_freeContext(context) }

    /// The picture in the nearest format, in memory of the pool.
    ///
    /// - Throws: `unsupported` for a format that FFmpeg does not convert; `limitExceeded`;
    ///   `invalidArgument` for a size that no Frame can have.
    func frame(of picture: UnsafeMutablePointer<AVFrame>) throws(FrameStreamingError) -> Frame {
        let format = unsafe AVPixelFormat(picture.pointee.format)
        guard let target = PictureShape.nearest(to: format) else { throw Self.unknown(format) }
        let layout = try unsafe Self.layout(target, of: picture)
        guard layout.byteCount <= maximumByteCount else {
            throw FrameStreamingError(
                .limitExceeded,
                "a picture of \(layout) has \(layout.byteCount) bytes, over the limit of \(maximumByteCount)")
        }
        let wanted = unsafe Shape(
            width: picture.pointee.width, height: picture.pointee.height, format: picture.pointee.format,
            isFull: layout.colorRange == .full, matrix: layout.colorMatrix)
        if shape != wanted {
            shape = nil
            unsafe sws_freeContext(context)
            unsafe context = Self.make(wanted, from: format, to: target)
            guard unsafe context != nil else { throw Self.unknown(format) }
            shape = wanted
        }
        var buffer = pool.buffer(byteCount: layout.byteCount + Self.tail)
        let rows = unsafe buffer.withUnsafeMutableBytes { bytes -> CInt in
            guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return -1 }
            var planes = unsafe [UnsafeMutablePointer<UInt8>?](repeating: nil, count: 4)
            var strides = [CInt](repeating: 0, count: 4)
            for index in 0..<layout.planeCount {
                unsafe planes[index] = start + layout.plane(index).offset
                strides[index] = CInt(layout.plane(index).stride)
            }
            return unsafe Self.scale(context, picture, &planes, &strides)
        }
        guard rows == wanted.height else {
            throw FrameStreamingError(.corruptImage, "the picture could not be converted to \(target)")
        }
        return try buffer.makeFrame(format: layout)
    }

    /// How much swscale may write behind a row: a vector of the widest kind.
    private static let tail = 128

    private static func layout(
        _ target: PixelFormat, of picture: UnsafePointer<AVFrame>
    ) throws(FrameStreamingError) -> FrameFormat {
        let tight = try unsafe FrameFormat(
            width: Int(picture.pointee.width), height: Int(picture.pointee.height), pixelFormat: target,
            colorRange: PictureShape.range(of: picture), colorMatrix: PictureShape.matrix(of: picture))
        let strides = (0..<tight.planeCount).map { (tight.plane($0).rowBytes + tail - 1) / tail * tail }
        return try FrameFormat(
            width: tight.width, height: tight.height, pixelFormat: target, strides: strides,
            colorRange: tight.colorRange, colorMatrix: tight.colorMatrix)
    }

    private static func scale(
        _ context: OpaquePointer?, _ picture: UnsafePointer<AVFrame>,
        _ planes: inout [UnsafeMutablePointer<UInt8>?], _ strides: inout [CInt]
    ) -> CInt {
        let data = unsafe picture.pointee.data
        let lines = unsafe picture.pointee.linesize
        let source = unsafe [data.0, data.1, data.2, data.3].map { unsafe $0.map { unsafe UnsafePointer($0) } }
        let sourceStrides = [lines.0, lines.1, lines.2, lines.3]
        return unsafe sws_scale(context, source, sourceStrides, 0, picture.pointee.height, planes, strides)
    }

    private static func make(_ shape: Shape, from format: AVPixelFormat, to target: PixelFormat) -> OpaquePointer? {
        guard let context = unsafe sws_alloc_context() else { return nil }
        let raw = unsafe UnsafeMutableRawPointer(context)
        // Without bicubic interpolation chroma that stays as it is would be changed, too.
        let numbers: [(String, Int64)] = [
            ("srcw", Int64(shape.width)), ("srch", Int64(shape.height)), ("dstw", Int64(shape.width)),
            ("dsth", Int64(shape.height)), ("src_format", Int64(plain(format).rawValue)),
            ("dst_format", Int64(PictureShape.format(of: target).rawValue)),
            ("src_range", shape.isFull ? 1 : 0), ("dst_range", shape.isFull ? 1 : 0),
            ("sws_flags", Int64(SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT)),
        ]
        for (name, value) in numbers { unsafe av_opt_set_int(raw, name, value, 0) }
        guard unsafe sws_init_context(context, nil, nil) >= 0 else {
            unsafe sws_freeContext(context)
            return nil
        }
        let weights =
            switch shape.matrix {
            case .bt709: SWS_CS_ITU709
            case .bt2020: SWS_CS_BT2020
            default: SWS_CS_ITU601
            }
        let table = unsafe sws_getCoefficients(weights)
        let range: CInt = shape.isFull ? 1 : 0
        // Fails for formats without luma and chroma, which need no weights.
        _ = unsafe sws_setColorspaceDetails(context, table, range, table, range, 0, 1 << 16, 1 << 16)
        return unsafe context
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
