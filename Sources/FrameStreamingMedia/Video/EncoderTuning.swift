internal import CFFmpeg
internal import FrameStreamingCore

/// The options of FFmpeg's encoders: no delay, and a quality.
///
/// Unsafe code: the context is the caller's, and no other thread uses it during a call. `prepare` takes
/// one that is not open yet.
enum EncoderTuning {
    /// A family of encoders with the same options.
    enum Family {
        case x264, vpx
        /// A device, which has options of its own and only a bit rate.
        case other

        init(_ encoder: String) {
            self = encoder == "libx264" ? .x264 : encoder.hasPrefix("libvpx") ? .vpx : .other
        }

        /// Whether its quality can be changed while it runs. Another encoder begins with a key frame.
        var changesQuality: Bool { self == .x264 }
    }

    /// - Throws: `unsupported` if this FFmpeg does not have the encoder, or if it is for another format.
    static func check(_ encoder: String, makes format: VideoFormat) throws(FrameStreamingError) {
        _ = try unsafe find(encoder, for: format)
    }

    static func find(
        _ encoder: String, for format: VideoFormat
    ) throws(FrameStreamingError) -> UnsafePointer<AVCodec> {
        guard let codec = unsafe avcodec_find_encoder_by_name(encoder) else {
            throw FrameStreamingError(
                .unsupported, "this machine's FFmpeg has no encoder '", peer: encoder,
                behind: "': 'ffmpeg -encoders' lists those that it has")
        }
        guard unsafe codec.pointee.id == format.identifier else {
            throw FrameStreamingError(
                .unsupported, "the encoder '", peer: encoder, behind: "' does not make \(format.name)")
        }
        return unsafe codec
    }

    /// Sets what holds for the life of an encoder, before it is opened.
    static func prepare(
        _ context: UnsafeMutablePointer<AVCodecContext>, _ family: Family, _ format: VideoFormat, quality: Int
    ) {
        unsafe context.pointee.time_base = AVRational(num: 1, den: MediaClock.ticksPerSecond)
        unsafe context.pointee.max_b_frames = 0
        // Key frames come on demand.
        unsafe context.pointee.gop_size = 1 << 24
        unsafe context.pointee.keyint_min = 1 << 23
        unsafe context.pointee.flags |= AV_CODEC_FLAG_LOW_DELAY
        unsafe context.pointee.thread_type = FF_THREAD_SLICE
        switch family {
        case .x264:
            unsafe set(context, "preset", "veryfast")
            // Slices instead of frames for the threads, no look-ahead.
            unsafe set(context, "tune", "zerolatency")
            unsafe set(context, "forced-idr", "1")
            unsafe set(context, "sc_threshold", "0")
            unsafe set(context, "crf", "\(rateFactor(quality))")
        case .vpx:
            unsafe set(context, "deadline", "realtime")
            // Less than 0: always the same work. Otherwise libvpx chooses by how long pictures take, and
            // frames grow on a busy machine.
            unsafe set(context, "cpu-used", "-8")
            unsafe set(context, "lag-in-frames", "0")
            unsafe set(context, "auto-alt-ref", "0")
            unsafe context.pointee.thread_count = 2
            let level = CInt(quantizer(quality, format))
            unsafe set(context, "crf", "\(level)")
            unsafe context.pointee.qmin = level
            unsafe context.pointee.qmax = level
            // Only an upper limit, beside a constant quality.
            unsafe context.pointee.bit_rate = 200_000_000
        case .other:
            unsafe context.pointee.bit_rate = Int64(quality) * 100_000
        }
    }

    /// Changes the quality of an open encoder of a family that can.
    static func change(_ context: UnsafeMutablePointer<AVCodecContext>, quality: Int) {
        unsafe set(context, "crf", "\(rateFactor(quality))")
    }

    // With natural pictures of 1280x720, quality 80 has the likeness (SSIM) of a JPEG of quality 80, to
    // 0.005: 0.985 (H.264), 0.987 (VP8) and 0.988 (VP9) beside 0.989.

    /// x264's rate factor, 0...51.
    static func rateFactor(_ quality: Int) -> Double { min(51, max(1, 57 - Double(quality) / 2)) }

    /// libvpx's quantizer, 0...63.
    static func quantizer(_ quality: Int, _ format: VideoFormat) -> Int {
        let steps = (100 - quality) * (format == .vp8 ? 11 : 16) / 20
        return min(63, max(2, steps))
    }

    private static func set(_ context: UnsafeMutablePointer<AVCodecContext>, _ name: String, _ value: String) {
        guard let own = unsafe context.pointee.priv_data else { return }
        unsafe av_opt_set(own, name, value, 0)
    }
}

/// The time of pictures in an encoder.
enum MediaClock {
    /// As in MPEG: 90 kHz.
    static let ticksPerSecond: CInt = 90_000

    static func ticks(_ time: MonotonicTime) -> Int64 { time.nanoseconds / 100_000 * 9 }
}
