internal import CFFmpeg
internal import FrameStreamingCore

/// Frames as pictures of FFmpeg's, without a copy.
///
/// Unsafe code: the picture's buffer holds the Frame, whose bytes have one address as long as it lives
/// and are never written. FFmpeg releases the buffer once, on any thread.
enum BorrowedPicture {
    private final class Holder: Sendable {
        let frame: Frame
        init(_ frame: Frame) { self.frame = frame }
    }

    /// Has `picture` refer to a frame of a raw format.
    static func fill(_ picture: UnsafeMutablePointer<AVFrame>, with frame: Frame) throws(FrameStreamingError) {
        let format = frame.format
        let start = unsafe frame.withUnsafeBytes { unsafe UnsafeMutableRawPointer(mutating: $0.baseAddress) }
        guard let start = unsafe start?.assumingMemoryBound(to: UInt8.self) else {
            throw FrameStreamingError(.invalidArgument, "a frame without bytes cannot be encoded")
        }
        let holder = unsafe Unmanaged.passRetained(Holder(frame))
        let buffer = unsafe av_buffer_create(
            start, frame.byteCount,
            { holder, _ in unsafe holder.map { unsafe Unmanaged<Holder>.fromOpaque($0).release() } },
            holder.toOpaque(), CInt(AV_BUFFER_FLAG_READONLY))
        guard let buffer = unsafe buffer else {
            unsafe holder.release()
            throw FrameStreamingError(.system, "FFmpeg has no memory for a picture")
        }
        unsafe av_frame_unref(picture)
        unsafe picture.pointee.buf.0 = buffer
        unsafe picture.pointee.extended_data = unsafe pointer(to: picture)
        unsafe picture.pointee.format = PictureShape.format(ofPlanesOf: format.pixelFormat).rawValue
        unsafe picture.pointee.width = CInt(format.width)
        unsafe picture.pointee.height = CInt(format.height)
        let planes = order(format)
        for (index, plane) in planes.enumerated() {
            let (address, stride) = unsafe (start + plane.offset, CInt(plane.stride))
            switch index {
            case 0: unsafe (picture.pointee.data.0, picture.pointee.linesize.0) = (address, stride)
            case 1: unsafe (picture.pointee.data.1, picture.pointee.linesize.1) = (address, stride)
            default: unsafe (picture.pointee.data.2, picture.pointee.linesize.2) = (address, stride)
            }
        }
        unsafe picture.pointee.color_range = format.colorRange == .full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG
        unsafe picture.pointee.colorspace = PictureShape.space(of: format.colorMatrix)
    }

    /// Has libvpx encode a picture, as one region, with another quantizer than the encoder's own.
    ///
    /// - Parameter offset: -63...63, in steps of libvpx's options.
    static func setQuantizer(
        of picture: UnsafeMutablePointer<AVFrame>, offset: Int
    ) throws(FrameStreamingError) {
        let size = MemoryLayout<AVRegionOfInterest>.size
        guard let side = unsafe av_frame_new_side_data(picture, AV_FRAME_DATA_REGIONS_OF_INTEREST, size),
            let bytes = unsafe side.pointee.data
        else { throw FrameStreamingError(.system, "FFmpeg has no memory for a picture") }
        // FFmpeg multiplies by 63 and cuts the fraction off.
        let step = 2 * offset + offset.signum()
        let region = unsafe AVRegionOfInterest(
            self_size: UInt32(size), top: 0, bottom: picture.pointee.height, left: 0, right: picture.pointee.width,
            qoffset: AVRational(num: CInt(max(-126, min(step, 126))), den: 126))
        unsafe UnsafeMutableRawPointer(bytes).storeBytes(of: region, as: AVRegionOfInterest.self)
    }

    /// The planes in the order Y, U, V.
    private static func order(_ format: FrameFormat) -> [PlaneLayout] {
        let planes = (0..<format.planeCount).map { format.plane($0) }
        return format.pixelFormat == .yv12 ? [planes[0], planes[2], planes[1]] : planes
    }

    /// The address of the picture's own list of planes.
    private static func pointer(
        to picture: UnsafeMutablePointer<AVFrame>
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?> {
        unsafe UnsafeMutableRawPointer(picture).assumingMemoryBound(to: UnsafeMutablePointer<UInt8>?.self)
    }
}

extension PictureShape {
    /// FFmpeg's format for a frame whose planes are given in the order Y, U, V.
    static func format(ofPlanesOf pixelFormat: PixelFormat) -> AVPixelFormat {
        pixelFormat == .yv12 ? AV_PIX_FMT_YUV420P : format(of: pixelFormat)
    }

    static func space(of matrix: ColorMatrix) -> AVColorSpace {
        switch matrix {
        case .bt601: AVCOL_SPC_SMPTE170M
        case .bt709: AVCOL_SPC_BT709
        case .bt2020: AVCOL_SPC_BT2020_NCL
        default: AVCOL_SPC_UNSPECIFIED
        }
    }
}
