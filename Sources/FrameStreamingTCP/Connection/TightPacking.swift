internal import FrameStreamingCore

/// How many bytes the frame has in the layout of the wire.
func tightByteCount(_ frame: Frame) -> Int {
    let format = frame.format
    if format.planeCount == 0 { return frame.byteCount }
    return (0..<format.planeCount).reduce(0) { sum, index in
        let plane = format.plane(index)
        return sum + plane.rowBytes * plane.height
    }
}

/// Returns the frame in the layout of the wire: its planes one after another, without padding. That
/// is the frame itself if it has this layout, and otherwise a copy in a buffer of `pool`.
func tightlyPacked(_ frame: Frame, from pool: FramePool) throws(FrameStreamingError) -> (Frame, byteCount: Int) {
    let format = frame.format
    if format.planeCount == 0 { return (frame, frame.byteCount) }
    if format.isTightlyPacked { return (frame, format.byteCount) }
    let tight = try FrameFormat(
        width: format.width, height: format.height, pixelFormat: format.pixelFormat, colorRange: format.colorRange,
        colorMatrix: format.colorMatrix)
    var buffer = pool.buffer(byteCount: tight.byteCount)
    // FrameFormat checked that every line lies inside its plane, and Frame that every plane lies
    // inside the bytes.
    unsafe buffer.withUnsafeMutableBytes { target in
        unsafe frame.withUnsafeBytes { source in
            for index in 0..<format.planeCount {
                let from = format.plane(index)
                let to = tight.plane(index)
                for line in 0..<to.height {
                    let start = from.offset + line * from.stride
                    let row = unsafe UnsafeRawBufferPointer(rebasing: source[start..<start + to.rowBytes])
                    let place = to.offset + line * to.stride
                    unsafe UnsafeMutableRawBufferPointer(rebasing: target[place..<place + to.rowBytes])
                        .copyMemory(from: row)
                }
            }
        }
    }
    var packed = try buffer.makeFrame(format: tight)
    packed.takeDescription(of: frame)
    return (packed, tight.byteCount)
}
