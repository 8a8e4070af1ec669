public import FrameStreamingCore

/// What a camera agreed to deliver.
public struct CameraFormat: Hashable, Sendable, CustomStringConvertible {
    /// The shape of its Frames, with strides and colour. A JPEG's own header says its size; this is the driver's.
    public let frame: FrameFormat
    /// Pictures per second; nil = the driver does not tell.
    public let rate: FrameRate?
    /// The camera's own format: differs from `frame.pixelFormat` in its fourcc (MJPG), where planes are put together, and where
    /// libv4lconvert converts.
    public let native: PixelFormat
    /// Whether libv4lconvert makes the pictures.
    public let isConverted: Bool
    /// Buffers that the driver granted.
    public let bufferCount: Int

    /// `1280x720 MJPG at 30`.
    public var description: String {
        let made = isConverted ? ", converted to \(frame.pixelFormat)" : ""
        return "\(frame.width)x\(frame.height) \(native.fourcc)" + (rate.map { " at \($0)" } ?? "") + made
    }
}
