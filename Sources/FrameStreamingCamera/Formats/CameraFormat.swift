public import FrameStreamingCore

/// The format, size and rate that a camera delivers.
public struct CameraFormat: Hashable, Sendable, CustomStringConvertible {
    /// The format of its Frames, with strides and colour. For JPEG the size is the driver's; each
    /// Frame has the size of its own header.
    public let frame: FrameFormat
    /// The frame rate; nil if the driver does not report it.
    public let rate: FrameRate?
    /// The camera's format by its V4L2 fourcc. It differs from `frame.pixelFormat` for MJPG, when
    /// separate planes are joined, and when libv4lconvert converts.
    public let native: PixelFormat
    /// Whether libv4lconvert converts each frame.
    public let isConverted: Bool
    /// The number of buffers that the driver granted.
    public let bufferCount: Int

    /// Size, format and rate: `1280x720 MJPG at 30`.
    public var description: String {
        let made = isConverted ? ", converted to \(frame.pixelFormat)" : ""
        return "\(frame.width)x\(frame.height) \(native.fourcc)" + (rate.map { " at \($0)" } ?? "") + made
    }
}
