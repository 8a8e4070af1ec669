internal import CFFmpeg
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// An open encoder of FFmpeg's: a picture in, a frame out.
///
/// Unsafe code: the pointers are those of its ``CodecContext``, which lives as long as this does.
@safe final class VideoEncoder {
    /// What an open encoder cannot change.
    struct Shape: Equatable {
        let width: Int
        let height: Int
        let pixelFormat: PixelFormat
        let range: ColorRange
        let matrix: ColorMatrix

        init(_ format: FrameFormat) {
            (width, height, pixelFormat) = (format.width, format.height, format.pixelFormat)
            (range, matrix) = (format.colorRange, format.colorMatrix)
        }
    }

    let shape: Shape
    private let name: String
    private let family: EncoderTuning.Family
    private let objects: CodecContext
    private var context: UnsafeMutablePointer<AVCodecContext> { unsafe objects.context }
    private var picture: UnsafeMutablePointer<AVFrame> { unsafe objects.picture }
    private var packet: UnsafeMutablePointer<AVPacket> { unsafe objects.packet }
    private let format: VideoFormat
    private var settings: EncoderTuning.Settings
    /// The offset of the last picture's quantizer from the one that libvpx was opened with.
    private var offset = 0
    private var lastTime = Int64.min

    /// - Throws: `unsupported` if the encoder does not take such pictures; `system` without memory.
    init(_ codec: VideoCodec, _ shape: Shape, _ settings: EncoderTuning.Settings) throws(FrameStreamingError) {
        MediaFailure.begin()
        self.shape = shape
        self.settings = settings
        format = codec.format
        name = codec.encoder
        family = EncoderTuning.Family(codec.encoder)
        let encoder = try unsafe EncoderTuning.find(codec.encoder, for: codec.format)
        guard let objects = unsafe CodecContext(encoder, decodes: false) else {
            throw FrameStreamingError(.system, "FFmpeg has no memory for an encoder")
        }
        self.objects = objects
        let made = unsafe objects.context
        unsafe made.pointee.width = CInt(shape.width)
        unsafe made.pointee.height = CInt(shape.height)
        unsafe made.pointee.pix_fmt = PictureShape.format(of: shape.pixelFormat)
        unsafe made.pointee.color_range = shape.range == .full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG
        unsafe made.pointee.colorspace = PictureShape.space(of: shape.matrix)
        unsafe EncoderTuning.prepare(made, family, codec.format, settings)
        guard objects.open() >= 0 else {
            throw FrameStreamingError(
                .unsupported, "\(codec.encoder) does not encode \(shape.width)x\(shape.height) (FFmpeg: ",
                peer: MediaFailure.lastWords, behind: ")")
        }
    }

    /// Whether this encoder can go on with other settings. If not, another one begins with a key frame.
    func canTake(_ wanted: EncoderTuning.Settings, standsAlone: Bool) -> Bool {
        switch family {
        case .x264: wanted.byteTarget == nil || settings.byteTarget != nil
        // A region's quantizer has no effect on VP9's key frames.
        case .vpx: !standsAlone || wanted.quantizer == settings.quantizer
        // A new encoder only if there is much to gain: frames of a device are never of one size.
        case .other:
            standsAlone
                ? EncoderTuning.bitRate(of: wanted) == EncoderTuning.bitRate(of: settings)
                : wanted.quality == settings.quality
                    && (EncoderTuning.bitRate(of: settings) / 3...3 * EncoderTuning.bitRate(of: settings))
                        .contains(EncoderTuning.bitRate(of: wanted))
        }
    }

    /// Has the next picture encoded with other settings.
    private func change(to wanted: EncoderTuning.Settings) throws(FrameStreamingError) {
        switch family {
        case .x264:
            if wanted.quality != settings.quality { unsafe EncoderTuning.change(context, quality: wanted.quality) }
            if settings.byteTarget != nil {
                unsafe EncoderTuning.limit(context, bytes: wanted.byteTarget)
            }
            settings = EncoderTuning.Settings(
                quality: wanted.quality, byteTarget: wanted.byteTarget ?? settings.byteTarget,
                quantizer: wanted.quantizer)
        case .vpx:
            let next = RegionQuantizer.offset(from: settings.quantizer, to: wanted.quantizer, format)
            guard next != 0 || offset != 0 else { return }
            offset = next
            try unsafe BorrowedPicture.setQuantizer(of: picture, offset: next)
        case .other: break
        }
    }

    /// Encodes the next picture.
    ///
    /// - Parameters:
    ///   - format: The format of the result.
    ///   - pool: Memory for the result.
    /// - Throws: `system` if the encoder fails, or keeps a picture back.
    func encode(
        _ frame: Frame, _ wanted: EncoderTuning.Settings, standsAlone: Bool, as format: FrameFormat,
        into pool: FramePool
    ) throws(FrameStreamingError) -> Frame {
        MediaFailure.begin()
        try unsafe BorrowedPicture.fill(picture, with: frame)
        defer { unsafe av_frame_unref(picture) }
        try change(to: wanted)
        // A source's times may jump; an encoder's may only grow.
        lastTime = max(MediaClock.ticks(.now), lastTime == .min ? .min : lastTime + 1)
        unsafe picture.pointee.pts = lastTime
        unsafe picture.pointee.pict_type = standsAlone ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
        try check(unsafe avcodec_send_frame(context, picture))
        try check(unsafe avcodec_receive_packet(context, packet))
        defer { unsafe av_packet_unref(packet) }
        guard let data = unsafe packet.pointee.data, unsafe packet.pointee.size > 0 else {
            throw FrameStreamingError(.system, "\(name) made a frame without bytes")
        }
        let bytes = unsafe UnsafeRawBufferPointer(start: data, count: Int(packet.pointee.size))
        var buffer = pool.buffer(byteCount: bytes.count)
        unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyMemory(from: bytes) }
        var result = try buffer.makeFrame(format: format)
        result.dependsOnPrevious = unsafe packet.pointee.flags & AV_PKT_FLAG_KEY == 0
        return result
    }

    private func check(_ code: CInt) throws(FrameStreamingError) {
        if code >= 0 { return }
        let words = MediaFailure.lastWords
        guard code != fs_media_again else {
            throw FrameStreamingError(.system, "\(name) keeps pictures back, and is of no use here: choose another")
        }
        throw FrameStreamingError(.system, "\(name) failed (FFmpeg: ", peer: words, behind: ")")
    }
}
