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

    }

    /// What an encoder is opened for.
    struct Settings {
        let quality: Int
        /// The bytes of the first frame at most; nil = frames have as many as the quality needs.
        let byteTarget: Int?
        /// libvpx's quantizer.
        let quantizer: Int
    }

    /// x264 is given a size for each frame as a buffer that this many frames a second fill anew.
    static let nominalRate = 30

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
        _ context: UnsafeMutablePointer<AVCodecContext>, _ family: Family, _ format: VideoFormat,
        _ settings: Settings
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
            unsafe set(context, "crf", "\(rateFactor(settings.quality))")
            if let bytes = settings.byteTarget {
                unsafe context.pointee.framerate = AVRational(num: CInt(nominalRate), den: 1)
                unsafe limit(context, bytes: bytes)
            }
        case .vpx:
            unsafe set(context, "deadline", "realtime")
            // Always the same work. With a VP8 speed above 0 libvpx chooses by how long pictures take,
            // and frames grow on a busy machine. VP9 has no such choice, and regions from 5 on.
            unsafe set(context, "cpu-used", format == .vp8 ? "-8" : "8")
            unsafe set(context, "lag-in-frames", "0")
            unsafe set(context, "auto-alt-ref", "0")
            unsafe context.pointee.thread_count = 2
            let level = CInt(settings.quantizer)
            unsafe set(context, "crf", "\(level)")
            unsafe context.pointee.qmin = level
            unsafe context.pointee.qmax = level
            // Only an upper limit, beside a constant quality.
            unsafe context.pointee.bit_rate = 200_000_000
        case .other:
            unsafe context.pointee.bit_rate = bitRate(of: settings)
        }
    }

    /// Changes the quality of x264 while it runs.
    static func change(_ context: UnsafeMutablePointer<AVCodecContext>, quality: Int) {
        unsafe set(context, "crf", "\(rateFactor(quality))")
    }

    /// Sets the most bytes of x264's next frame, also while it runs, if it was opened with some; nil = no
    /// limit.
    static func limit(_ context: UnsafeMutablePointer<AVCodecContext>, bytes: Int?) {
        let bits = min(max(bytes ?? .max / 8, 250), 4_000_000) * 8
        unsafe context.pointee.rc_buffer_size = CInt(bits)
        unsafe context.pointee.rc_max_rate = Int64(bits * nominalRate)
    }

    /// The bit rate of a device, which is all that it knows.
    static func bitRate(of settings: Settings) -> Int64 {
        let best = Int64(settings.quality) * 100_000
        guard let bytes = settings.byteTarget else { return best }
        return min(best, Int64(clamping: min(bytes, 1 << 30) * 8 * nominalRate))
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
