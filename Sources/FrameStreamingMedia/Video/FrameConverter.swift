internal import CFFmpeg
internal import FrameStreamingCore

/// Converts raw pictures to another format and size, with swscale.
///
/// Unsafe code: the context is freed once, in the deinit, and used by one thread at a time. Source and
/// target are held meanwhile, and the target has as much memory behind its planes as swscale may touch.
@safe final class FrameConverter {
    private struct Shape: Equatable {
        var source: FrameFormat
        var target: FrameFormat
    }

    private var context: OpaquePointer?
    private var shape: Shape?
    private let source: UnsafeMutablePointer<AVFrame>
    private let pool: FramePool

    /// How much swscale may write behind a row: a vector of the widest kind.
    private static let tail = 128

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
        unsafe sws_freeContext(context)
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
        let target = try Self.target(pixelFormat, width, height, of: format)
        let wanted = Shape(source: format, target: target)
        if shape != wanted {
            shape = nil
            unsafe sws_freeContext(context)
            unsafe context = Self.make(wanted)
            guard unsafe context != nil else {
                throw FrameStreamingError(.unsupported, "\(format) is not converted to \(target)")
            }
            shape = wanted
        }
        try unsafe BorrowedPicture.fill(source, with: frame)
        defer { unsafe av_frame_unref(source) }
        var buffer = pool.buffer(byteCount: target.byteCount + Self.tail)
        let rows = unsafe buffer.withUnsafeMutableBytes { bytes -> CInt in
            guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return -1 }
            var planes = unsafe [UnsafeMutablePointer<UInt8>?](repeating: nil, count: 4)
            var strides = [CInt](repeating: 0, count: 4)
            for index in 0..<target.planeCount {
                unsafe planes[index] = start + target.plane(index).offset
                strides[index] = CInt(target.plane(index).stride)
            }
            return unsafe scale(&planes, &strides)
        }
        guard rows == CInt(height) else {
            throw FrameStreamingError(.corruptImage, "the picture could not be converted to \(target)")
        }
        var result = try buffer.makeFrame(format: target)
        result.takeDescription(of: frame)
        return result
    }

    private func scale(_ planes: inout [UnsafeMutablePointer<UInt8>?], _ strides: inout [CInt]) -> CInt {
        let (data, lines) = unsafe (source.pointee.data, source.pointee.linesize)
        let from = unsafe [data.0, data.1, data.2, data.3].map { unsafe $0.map { unsafe UnsafePointer($0) } }
        return unsafe sws_scale(
            context, from, [lines.0, lines.1, lines.2, lines.3], 0, source.pointee.height, planes, strides)
    }

    private static func target(
        _ pixelFormat: PixelFormat, _ width: Int, _ height: Int, of source: FrameFormat
    ) throws(FrameStreamingError) -> FrameFormat {
        let keeps = pixelFormat.isLumaChroma == source.pixelFormat.isLumaChroma
        let range: ColorRange = keeps ? source.colorRange : pixelFormat.isLumaChroma ? .limited : .full
        let matrix =
            source.colorMatrix == .unspecified && !source.pixelFormat.isLumaChroma ? .bt601 : source.colorMatrix
        let tight = try FrameFormat(width: width, height: height, pixelFormat: pixelFormat)
        let strides = (0..<tight.planeCount).map { (tight.plane($0).rowBytes + tail - 1) / tail * tail }
        return try FrameFormat(
            width: width, height: height, pixelFormat: pixelFormat, strides: strides, colorRange: range,
            colorMatrix: matrix)
    }

    private static func make(_ shape: Shape) -> OpaquePointer? {
        guard let context = unsafe sws_alloc_context() else { return nil }
        let raw = unsafe UnsafeMutableRawPointer(context)
        let (source, target) = (shape.source, shape.target)
        let numbers: [(String, Int64)] = [
            ("srcw", Int64(source.width)), ("srch", Int64(source.height)), ("dstw", Int64(target.width)),
            ("dsth", Int64(target.height)),
            ("src_format", Int64(PictureShape.format(ofPlanesOf: source.pixelFormat).rawValue)),
            ("dst_format", Int64(PictureShape.format(of: target.pixelFormat).rawValue)),
            ("src_range", source.colorRange == .full ? 1 : 0), ("dst_range", target.colorRange == .full ? 1 : 0),
            ("sws_flags", Int64(SWS_AREA | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT)),
        ]
        for (name, value) in numbers { unsafe av_opt_set_int(raw, name, value, 0) }
        guard unsafe sws_init_context(context, nil, nil) >= 0 else {
            unsafe sws_freeContext(context)
            return nil
        }
        let table = unsafe sws_getCoefficients(weights(source.colorMatrix))
        // Fails where neither side has luma and chroma, and no weights are needed.
        _ = unsafe sws_setColorspaceDetails(
            context, table, source.colorRange == .full ? 1 : 0, table, target.colorRange == .full ? 1 : 0, 0, 1 << 16,
            1 << 16)
        return unsafe context
    }

    private static func weights(_ matrix: ColorMatrix) -> CInt {
        switch matrix {
        case .bt709: SWS_CS_ITU709
        case .bt2020: SWS_CS_BT2020
        default: SWS_CS_ITU601
        }
    }
}

extension PixelFormat {
    /// Whether it has luma and chroma; gray counts, as its values are used as they are.
    var isLumaChroma: Bool { ![.rgb24, .bgr24, .rgba32, .bgra32].contains(self) }
}
