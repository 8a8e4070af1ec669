internal import FrameStreamingCore

/// Pictures with even sides, which H.264 needs with 4:2:0. The frame's own size is in the protocol, and
/// the decoder's picture is cut to it.
enum EvenPicture {
    /// The picture, with its last column and line twice where a side is odd. Chroma needs no more: its
    /// sides are rounded up as they are.
    ///
    /// - Parameter frame: I420 or NV12.
    static func of(_ frame: Frame, for format: VideoFormat, from pool: FramePool) throws(FrameStreamingError) -> Frame {
        let (width, height) = (frame.format.width, frame.format.height)
        guard format == .h264, width % 2 + height % 2 > 0 else { return frame }
        let target = try FrameFormat(
            width: width + width % 2, height: height + height % 2, pixelFormat: frame.format.pixelFormat,
            colorRange: frame.format.colorRange, colorMatrix: frame.format.colorMatrix)
        var buffer = pool.buffer(byteCount: target.byteCount)
        for index in 0..<target.planeCount {
            let layout = target.plane(index)
            let source = frame.plane(index)
            let last = frame.format.plane(index)
            var plane = buffer.plane(layout)
            for y in 0..<layout.height {
                let row = source.row(min(y, last.height - 1))
                for x in 0..<layout.rowBytes { plane[y * layout.stride + x] = row[min(x, last.rowBytes - 1)] }
            }
        }
        var result = try buffer.makeFrame(format: target)
        result.takeDescription(of: frame)
        return result
    }
}
