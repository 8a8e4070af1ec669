internal import CFFmpeg
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// An open decoder of FFmpeg's: a frame in, a picture out, and nothing concealed.
///
/// Unsafe code: the pointers are those of its ``CodecContext``, which lives as long as this does.
@safe final class VideoDecoder {
    let format: VideoFormat
    private let objects: CodecContext
    private var context: UnsafeMutablePointer<AVCodecContext> { unsafe objects.context }
    private var picture: UnsafeMutablePointer<AVFrame> { unsafe objects.picture }
    private var packet: UnsafeMutablePointer<AVPacket> { unsafe objects.packet }

    /// - Throws: `unsupported` if this machine's FFmpeg does not decode the format; `system` without
    ///   memory.
    init(_ format: VideoFormat, maximumPixels: Int) throws(FrameStreamingError) {
        MediaFailure.begin()
        self.format = format
        guard let codec = unsafe avcodec_find_decoder(format.identifier) else {
            throw FrameStreamingError(.unsupported, "this machine's FFmpeg does not decode \(format.name)")
        }
        guard let objects = unsafe CodecContext(codec, decodes: true) else {
            throw FrameStreamingError(.system, "FFmpeg has no memory for a decoder of \(format.name)")
        }
        self.objects = objects
        let context = unsafe objects.context
        unsafe context.pointee.max_pixels = Int64(maximumPixels)
        unsafe context.pointee.flags |= AV_CODEC_FLAG_LOW_DELAY
        // Threads for whole frames would hold one back each.
        unsafe context.pointee.thread_type = FF_THREAD_SLICE
        unsafe context.pointee.thread_count = 0
        unsafe context.pointee.error_concealment = 0
        unsafe context.pointee.err_recognition = CInt(
            AV_EF_EXPLODE | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_CRCCHECK)
        guard objects.open() >= 0 else {
            throw FrameStreamingError(
                .system, "no decoder of \(format.name) could be opened (FFmpeg: ", peer: MediaFailure.lastWords,
                behind: ")")
        }
    }

    /// The picture of the next frame, cut to the size that the frame states.
    ///
    /// - Throws: `corruptImage` if it does not decode whole, or has another size.
    func decode(_ frame: Frame) throws(FrameStreamingError) -> Frame {
        MediaFailure.begin()
        // FFmpeg reads a little behind a packet, so this is a copy.
        guard frame.byteCount <= Int(CInt.max) - Int(AV_INPUT_BUFFER_PADDING_SIZE),
            unsafe av_new_packet(packet, CInt(frame.byteCount)) >= 0, let room = unsafe packet.pointee.data
        else {
            throw FrameStreamingError(
                .limitExceeded, "a frame of \(frame.byteCount) bytes needs more memory than there is")
        }
        defer { unsafe av_packet_unref(packet) }
        unsafe frame.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(room).copyMemory(from: start, byteCount: bytes.count)
        }
        if !frame.dependsOnPrevious { unsafe packet.pointee.flags |= AV_PKT_FLAG_KEY }
        try check(unsafe avcodec_send_packet(context, packet))
        try check(unsafe avcodec_receive_frame(context, picture))
        defer { unsafe av_frame_unref(picture) }
        guard unsafe picture.pointee.flags & AV_FRAME_FLAG_CORRUPT == 0, unsafe picture.pointee.decode_error_flags == 0
        else { throw FrameStreamingError(.corruptImage, "parts of the \(format.name) frame are missing or wrong") }
        try cut(to: frame.format)
        guard let result = try unsafe LeasedPicture.frame(over: picture) else {
            throw FrameStreamingError(
                .unsupported, "the pictures of this \(format.name) are not 8 bits of luma and chroma")
        }
        return result
    }

    /// Takes what was added for even sides off again.
    private func cut(to format: FrameFormat) throws(FrameStreamingError) {
        let (width, height) = unsafe (Int(picture.pointee.width), Int(picture.pointee.height))
        guard width == format.width || width == format.width + 1 && width % 2 == 0,
            height == format.height || height == format.height + 1 && height % 2 == 0
        else {
            throw FrameStreamingError(
                .corruptImage,
                "the picture is \(width)x\(height), and the frame states \(format.width)x\(format.height)")
        }
        unsafe picture.pointee.width = CInt(format.width)
        unsafe picture.pointee.height = CInt(format.height)
        unsafe picture.pointee.color_range = format.colorRange == .full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG
        unsafe picture.pointee.colorspace = PictureShape.space(of: format.colorMatrix)
    }

    private func check(_ code: CInt) throws(FrameStreamingError) {
        if code >= 0 { return }
        let words = MediaFailure.lastWords
        if code == fs_media_again { throw FrameStreamingError(.corruptImage, "the frame has no whole picture") }
        throw words.isEmpty
            ? FrameStreamingError(.corruptImage, "the \(format.name) frame does not decode")
            : FrameStreamingError(
                .corruptImage, "the \(format.name) frame does not decode (FFmpeg: ", peer: words, behind: ")")
    }
}
