internal import CFFmpeg
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A decoder of FFmpeg's for one video.
///
/// Unsafe code: the pointers are those of its ``CodecContext``, which lives as long as this does, and
/// packets are the caller's.
@safe final class MediaDecoder {
    /// What comes next.
    enum Step {
        case picture(Frame, MediaStamp)
        /// A picture was damaged, and is left out.
        case damaged(FrameStreamingError)
        /// Another packet is needed.
        case needsPacket
        /// The last picture has come.
        case ended
    }

    private let objects: CodecContext
    private var context: UnsafeMutablePointer<AVCodecContext> { unsafe objects.context }
    private var picture: UnsafeMutablePointer<AVFrame> { unsafe objects.picture }
    private let converter: PictureConverter
    private let base: AVRational
    private let streamTurn: PictureTurn
    private let name: String

    /// Makes the decoder of a video.
    ///
    /// - Throws: `unsupported` if this FFmpeg has none.
    init(_ input: MediaInput, isLive: Bool, _ options: MediaOptions, _ pool: FramePool) throws(FrameStreamingError) {
        MediaFailure.begin()
        name = input.address.name
        unsafe base = input.stream.pointee.time_base
        streamTurn = unsafe PictureOrientation.turn(fs_media_stream_matrix(input.stream)) ?? .none
        converter = PictureConverter(pool: pool, maximumByteCount: options.playback.maximumFrameByteCount)
        let parameters = unsafe input.stream.pointee.codecpar
        guard let parameters = unsafe parameters,
            let codec = unsafe avcodec_find_decoder(parameters.pointee.codec_id)
        else {
            let codec = unsafe avcodec_get_name(parameters?.pointee.codec_id ?? AV_CODEC_ID_NONE)
            throw FrameStreamingError(
                .unsupported, "this FFmpeg has no decoder for ",
                peer: unsafe codec.map { unsafe String(cString: $0) } ?? "it", subject: name)
        }
        guard let objects = unsafe CodecContext(codec, decodes: true) else { throw Self.withoutMemory }
        self.objects = objects
        var code = unsafe avcodec_parameters_to_context(objects.context, parameters)
        if code >= 0 {
            unsafe Self.configure(objects.context, codec, input, isLive: isLive, options)
            code = objects.open()
        }
        guard code >= 0 else { throw MediaFailure.error(code, about: input.address) }
    }

    private static func configure(
        _ context: UnsafeMutablePointer<AVCodecContext>, _ codec: UnsafePointer<AVCodec>, _ input: MediaInput,
        isLive: Bool, _ options: MediaOptions
    ) {
        unsafe context.pointee.pkt_timebase = input.stream.pointee.time_base
        unsafe context.pointee.max_pixels = Int64(options.maximumPixelCount)
        // As many threads as there are processors.
        unsafe context.pointee.thread_count = 0
        // A thread for each of several frames holds them back; a thread for each part of one does not.
        unsafe context.pointee.thread_type = isLive ? FF_THREAD_SLICE : FF_THREAD_FRAME | FF_THREAD_SLICE
        if isLive { unsafe context.pointee.flags |= AV_CODEC_FLAG_LOW_DELAY }
    }

    /// Gives it a packet; nil at the end.
    ///
    /// - Parameter arrival: When the packet was read, which its picture states.
    /// - Returns: The fault of a packet that is damaged.
    func send(_ packet: UnsafeMutablePointer<AVPacket>?, arrival: MonotonicTime) -> FrameStreamingError? {
        MediaFailure.begin()
        unsafe context.pointee.reordered_opaque = arrival.nanoseconds
        let code = unsafe avcodec_send_packet(context, packet)
        return code < 0 && code != fs_media_again && code != fs_media_end ? Self.damaged(code) : nil
    }

    /// Returns the next picture, upright or with the turn that makes it so.
    func next() -> Step {
        MediaFailure.begin()
        let code = unsafe avcodec_receive_frame(context, picture)
        if code == fs_media_again { return .needsPacket }
        if code == fs_media_end { return .ended }
        guard code >= 0 else { return .damaged(Self.damaged(code)) }
        defer { unsafe av_frame_unref(picture) }
        guard unsafe picture.pointee.flags & AV_FRAME_FLAG_CORRUPT == 0, unsafe picture.pointee.decode_error_flags == 0
        else {
            return .damaged(FrameStreamingError(.corruptImage, "parts of it are missing or wrong"))
        }
        do throws(FrameStreamingError) {
            try download()
            let stamp = unsafe MediaStamp(
                time: MediaTime.duration(picture.pointee.best_effort_timestamp, in: base),
                duration: MediaTime.duration(picture.pointee.pkt_duration, in: base),
                arrival: MonotonicTime(nanoseconds: picture.pointee.reordered_opaque))
            var frame: Frame
            if let leased = try unsafe LeasedPicture.frame(over: picture) {
                frame = leased
            } else {
                frame = try unsafe converter.frame(of: picture)
            }
            frame.uprightTurn = unsafe PictureOrientation.turn(fs_media_frame_matrix(picture)) ?? streamTurn
            return .picture(frame, stamp)
        } catch {
            return .damaged(error)
        }
    }

    /// Forgets everything, after a jump in the input.
    func flush() { unsafe avcodec_flush_buffers(context) }

    /// Brings a picture that lies in a device's memory into the machine's.
    private func download() throws(FrameStreamingError) {
        guard unsafe picture.pointee.hw_frames_ctx != nil else { return }
        guard let copy = unsafe av_frame_alloc() else { throw Self.withoutMemory }
        var freed: UnsafeMutablePointer<AVFrame>? = unsafe copy
        defer { unsafe av_frame_free(&freed) }
        guard unsafe av_hwframe_transfer_data(copy, picture, 0) >= 0,
            unsafe av_frame_copy_props(copy, picture) >= 0
        else { throw FrameStreamingError(.corruptImage, "it could not be read from the device's memory") }
        unsafe av_frame_unref(picture)
        unsafe av_frame_move_ref(picture, copy)
    }

    private static func damaged(_ code: CInt) -> FrameStreamingError {
        let words = MediaFailure.lastWords
        if code == -12 { return withoutMemory }
        return words.isEmpty
            ? FrameStreamingError(.corruptImage, "it does not decode")
            : FrameStreamingError(.corruptImage, "it does not decode (FFmpeg: ", peer: words, behind: ")")
    }

    private static var withoutMemory: FrameStreamingError {
        FrameStreamingError(.limitExceeded, "the picture needs more memory than there is or may be used")
    }
}
