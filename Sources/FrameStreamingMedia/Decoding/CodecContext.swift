internal import CFFmpeg
internal import FrameStreamingSystem

/// A codec of FFmpeg's, with a picture and a packet to pass through it.
///
/// Unsafe code: all of it is made in the init and freed in the deinit, and the owner uses it from one
/// thread at a time. Decoded pictures that are still held keep their memory.
@safe final class CodecContext {
    let context: UnsafeMutablePointer<AVCodecContext>
    let picture: UnsafeMutablePointer<AVFrame>
    let packet: UnsafeMutablePointer<AVPacket>
    private let codec: UnsafePointer<AVCodec>
    /// Nil for an encoder.
    private let memory: UnsafeMutablePointer<fs_media_memory>?

    /// Nil if FFmpeg has no memory.
    ///
    /// - Parameter decodes: Whether it decodes, to pictures that lie in one run of memory each.
    init?(_ codec: UnsafePointer<AVCodec>, decodes: Bool) {
        var context: UnsafeMutablePointer<AVCodecContext>? = unsafe avcodec_alloc_context3(codec)
        var (picture, packet) = unsafe (av_frame_alloc(), av_packet_alloc())
        let memory = unsafe decodes ? fs_media_memory_make() : nil
        guard let made = unsafe context, let frame = unsafe picture, let bytes = unsafe packet,
            unsafe memory != nil || !decodes
        else {
            unsafe av_frame_free(&picture)
            unsafe av_packet_free(&packet)
            unsafe avcodec_free_context(&context)
            unsafe fs_media_memory_free(memory)
            return nil
        }
        if let memory = unsafe memory { unsafe fs_media_use_memory(made, memory) }
        unsafe self.context = made
        unsafe self.picture = frame
        unsafe self.packet = bytes
        unsafe self.codec = codec
        unsafe self.memory = memory
    }

    deinit {
        var picture: UnsafeMutablePointer<AVFrame>? = unsafe picture
        unsafe av_frame_free(&picture)
        var packet: UnsafeMutablePointer<AVPacket>? = unsafe packet
        unsafe av_packet_free(&packet)
        var context: UnsafeMutablePointer<AVCodecContext>? = unsafe context
        unsafe avcodec_free_context(&context)
        unsafe fs_media_memory_free(memory)
    }

    /// Opens it as it was configured. Returns FFmpeg's code, below 0 for a failure.
    ///
    /// It starts threads, which take none of the process's signals.
    func open() -> CInt { withSignalsHeld { unsafe avcodec_open2(context, codec, nil) } }
}
