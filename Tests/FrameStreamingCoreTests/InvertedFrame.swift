import FrameStreamingCore
import FrameStreamingTesting

extension Frame {
    /// The frame with each byte inverted, in another format: what the simplest codec makes of it.
    func inverted(as pixelFormat: PixelFormat) throws(FrameStreamingError) -> Frame {
        let bytes = contents
        let format = try FrameFormat(width: format.width, height: format.height, pixelFormat: pixelFormat)
        var result = try Frame.filled(format, byteCount: bytes.count) { ~bytes[$0] }
        result.takeDescription(of: self)
        return result
    }
}
