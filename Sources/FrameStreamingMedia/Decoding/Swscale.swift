internal import CFFmpeg
internal import FrameStreamingCore

/// A context of swscale's for pictures of one shape.
///
/// Unsafe code: the context is freed once, in the deinit, and used by one thread at a time. A target has
/// as much memory behind its planes as swscale may touch.
@safe final class Swscale {
    /// What is converted to what.
    struct Conversion: Equatable {
        var width: CInt
        var height: CInt
        var format: AVPixelFormat
        var isFull: Bool
        /// The weights of luma and chroma, on both sides.
        var matrix: ColorMatrix
        var target: FrameFormat
        /// SWS_BICUBIC, SWS_AREA and the like.
        var method: CInt
    }

    let conversion: Conversion
    private let context: OpaquePointer

    /// How much swscale may write behind a row: a vector of the widest kind.
    private static let tail = 128

    /// Nil if swscale does not convert that.
    init?(_ conversion: Conversion) {
        guard let context = unsafe sws_alloc_context() else { return nil }
        let raw = unsafe UnsafeMutableRawPointer(context)
        let target = conversion.target
        let (from, to): (CInt, CInt) = (conversion.isFull ? 1 : 0, target.colorRange == .full ? 1 : 0)
        let numbers: [(String, Int64)] = [
            ("srcw", Int64(conversion.width)), ("srch", Int64(conversion.height)), ("dstw", Int64(target.width)),
            ("dsth", Int64(target.height)), ("src_format", Int64(conversion.format.rawValue)),
            ("dst_format", Int64(PictureShape.format(of: target.pixelFormat).rawValue)),
            ("src_range", Int64(from)), ("dst_range", Int64(to)),
            ("sws_flags", Int64(conversion.method | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT)),
        ]
        for (name, value) in numbers { unsafe av_opt_set_int(raw, name, value, 0) }
        guard unsafe sws_init_context(context, nil, nil) >= 0 else {
            unsafe sws_freeContext(context)
            return nil
        }
        let table = unsafe sws_getCoefficients(Self.weights(conversion.matrix))
        // Fails for formats without luma and chroma, which need no weights.
        _ = unsafe sws_setColorspaceDetails(context, table, from, table, to, 0, 1 << 16, 1 << 16)
        self.conversion = conversion
        unsafe self.context = context
    }

    deinit { unsafe sws_freeContext(context) }

    /// The planes of a target, with rows that swscale may write to the end.
    static func layout(
        _ pixelFormat: PixelFormat, width: Int, height: Int, range: ColorRange?, matrix: ColorMatrix
    ) throws(FrameStreamingError) -> FrameFormat {
        let tight = try FrameFormat(width: width, height: height, pixelFormat: pixelFormat)
        let strides = (0..<tight.planeCount).map { (tight.plane($0).rowBytes + tail - 1) / tail * tail }
        return try FrameFormat(
            width: width, height: height, pixelFormat: pixelFormat, strides: strides, colorRange: range,
            colorMatrix: matrix)
    }

    /// The picture, converted to memory of the pool.
    ///
    /// - Throws: `corruptImage` if swscale fails.
    func convert(_ picture: UnsafePointer<AVFrame>, from pool: FramePool) throws(FrameStreamingError) -> Frame {
        let target = conversion.target
        var buffer = pool.buffer(byteCount: target.byteCount + Self.tail)
        let rows = unsafe buffer.withUnsafeMutableBytes { bytes -> CInt in
            guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return -1 }
            var planes = unsafe [UnsafeMutablePointer<UInt8>?](repeating: nil, count: 4)
            var strides = [CInt](repeating: 0, count: 4)
            for index in 0..<target.planeCount {
                unsafe planes[index] = start + target.plane(index).offset
                strides[index] = CInt(target.plane(index).stride)
            }
            return unsafe scale(picture, &planes, &strides)
        }
        guard rows == CInt(target.height) else {
            throw FrameStreamingError(
                .corruptImage, "the picture could not be converted to \(target.pixelFormat)")
        }
        return try buffer.makeFrame(format: target)
    }

    private func scale(
        _ picture: UnsafePointer<AVFrame>, _ planes: inout [UnsafeMutablePointer<UInt8>?], _ strides: inout [CInt]
    ) -> CInt {
        let (data, lines) = unsafe (picture.pointee.data, picture.pointee.linesize)
        let source = unsafe [data.0, data.1, data.2, data.3].map { unsafe $0.map { unsafe UnsafePointer($0) } }
        return unsafe sws_scale(
            context, source, [lines.0, lines.1, lines.2, lines.3], 0, picture.pointee.height, planes, strides)
    }

    private static func weights(_ matrix: ColorMatrix) -> CInt {
        switch matrix {
        case .bt709: SWS_CS_ITU709
        case .bt2020: SWS_CS_BT2020
        default: SWS_CS_ITU601
        }
    }
}
