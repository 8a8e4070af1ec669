internal import CFFmpeg
internal import FrameStreamingCore

/// Pictures of FFmpeg's decoders as Frames, without a copy.
///
/// Unsafe code: a Frame holds a reference to FFmpeg's buffer, which keeps its memory valid and
/// unchanged, and gives it back with the last copy of the Frame, on any thread. FFmpeg counts its
/// references atomically.
enum LeasedPicture {
    /// The picture, in its own memory; nil if it is not laid out as ``FrameFormat`` can say it.
    ///
    /// - Throws: `invalidArgument` for a size that no Frame can have.
    static func frame(over picture: UnsafeMutablePointer<AVFrame>) throws(FrameStreamingError) -> Frame? {
        guard let pixelFormat = unsafe PictureShape.pixelFormat(of: AVPixelFormat(picture.pointee.format)),
            let buffer = unsafe picture.pointee.buf.0, let memory = unsafe buffer.pointee.data
        else { return nil }
        let count = pixelFormat.planeCount
        let starts = unsafe [picture.pointee.data.0, picture.pointee.data.1, picture.pointee.data.2].prefix(count)
        let strides = unsafe [
            picture.pointee.linesize.0, picture.pointee.linesize.1, picture.pointee.linesize.2,
        ].prefix(count)
        var places: [Int] = []
        for index in 0..<count {
            guard let start = unsafe starts[index] else { return nil }
            unsafe places.append(start - memory)
        }
        guard let first = places.min(), first >= 0, strides.allSatisfy({ $0 > 0 }) else { return nil }
        let format: FrameFormat
        do throws(FrameStreamingError) {
            format = try unsafe FrameFormat(
                width: Int(picture.pointee.width), height: Int(picture.pointee.height), pixelFormat: pixelFormat,
                strides: strides.map { Int($0) }, offsets: places.map { $0 - first },
                colorRange: PictureShape.range(of: picture), colorMatrix: PictureShape.matrix(of: picture))
        } catch {
            // A stride that is too short; a size that is impossible is refused by the converter.
            return nil
        }
        // All planes in this one buffer: otherwise a Frame would reach over memory between two.
        guard unsafe format.byteCount <= Int(clamping: buffer.pointee.size) - first else { return nil }
        guard let held = unsafe av_frame_alloc() else { return nil }
        guard unsafe av_frame_ref(held, picture) >= 0 else {
            var freed: UnsafeMutablePointer<AVFrame>? = unsafe held
            unsafe av_frame_free(&freed)
            return nil
        }
        let lease = unsafe HeldPicture(frame: held)
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory + first, count: format.byteCount)
        return try unsafe FrameBuffer(memory: bytes) { lease.release() }.makeFrame(format: format)
    }
}

/// A reference to a picture of FFmpeg's, which one thread releases, once.
@safe private struct HeldPicture: @unchecked Sendable {
    let frame: UnsafeMutablePointer<AVFrame>

    func release() {
        var freed: UnsafeMutablePointer<AVFrame>? = unsafe frame
        unsafe av_frame_free(&freed)
    }
}
