public import FrameStreamingCore

/// How to open a camera. ``V4L2Camera/granted`` says what the camera really delivers.
public struct V4L2CameraOptions: Sendable {
    /// The width in pixels. The driver grants the nearest one that it has. Nil: the width of
    /// an HDMI input's signal, else 640.
    public var width: Int?
    /// The height in pixels. Nil: the height of an HDMI input's signal, else 480.
    public var height: Int?
    /// The format of the Frames (`.jpeg` for MJPG), or a V4L2 fourcc. A camera without it is an
    /// error. Nil: the best one for the size and the rate.
    public var pixelFormat: PixelFormat?
    /// The frame rate. The driver grants the nearest one that it has. Nil: 30 frames a second.
    public var rate: FrameRate?
    /// The controls to set when the camera is opened and each time it comes back, automatic modes
    /// first.
    public var controls: [CameraControlSetting] = []
    /// The color range of the frames. Nil: the one that the driver reports.
    public var colorRange: ColorRange?
    /// The number of buffers to request from the driver, at least 1.
    public var bufferCount = 5
    /// What happens to JPEG frames without an end.
    public var truncatedFrames = TruncatedFramePolicy.drop
    /// The time without a frame after which the camera has stalled, but at least 8 frame intervals.
    /// Streaming is then restarted once, and next time the camera is opened again. The first frame
    /// may take three times as long, because exposure must settle at night.
    public var stallTimeout = Duration.seconds(2)
    /// Whether to wait for a lost camera. If not, ``V4L2Camera/next(until:)`` throws.
    public var waitsForLostCamera = true
    /// Called with each event, on the thread that calls `next`.
    public var onEvent: (@Sendable (CameraEvent) -> Void)?

    /// Makes the default options.
    public init() {}
}
