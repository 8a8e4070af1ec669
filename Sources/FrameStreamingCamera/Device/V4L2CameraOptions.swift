public import FrameStreamingCore

/// How to open a camera. What is nil is the camera's or ours to choose; what was granted is in ``V4L2Camera/granted``.
public struct V4L2CameraOptions: Sendable {
    /// Pixels across; nil = 640, or what comes in at an HDMI input. The driver grants the nearest that it has.
    public var width: Int?
    /// Pixels down; nil = 480, or what comes in at an HDMI input.
    public var height: Int?
    /// One of our formats (`.jpeg` is MJPG), or a V4L2 fourcc of one; nil = the best for size and rate. A camera without it is an error.
    public var pixelFormat: PixelFormat?
    /// Pictures per second; nil = 30. The driver grants the nearest that it has.
    public var rate: FrameRate?
    /// Set at the opening, automatic modes first, and again whenever the camera comes back.
    public var controls: [CameraControlSetting] = []
    /// The colour range that the pictures have, whatever the driver says.
    public var colorRange: ColorRange?
    /// Buffers to ask the driver for, at least 1.
    public var bufferCount = 5
    /// What happens to JPEG pictures without an end.
    public var truncatedFrames = TruncatedFramePolicy.drop
    /// After so long without a picture (or 8 frame times, where that is more) the stream is started again, and then the camera
    /// opened again. The first picture may take three times as long: at night the exposure has to settle.
    public var stallTimeout = Duration.seconds(2)
    /// Whether a lost camera is waited for; else ``V4L2Camera/next(until:)`` throws.
    public var waitsForLostCamera = true
    /// Called on the thread that calls `next`, when something happens beside pictures.
    public var onEvent: (@Sendable (CameraEvent) -> Void)?

    /// Everything left to the camera.
    public init() {}
}
