public import FrameStreamingCore

/// How a file is played.
public struct PlaybackOptions: Sendable {
    /// Pictures per second; nil = what the file says, 30 where it says nothing.
    public var rate: FrameRate?
    /// Whether the first picture follows the last for ever. Only a regular file can.
    public var loop = false
    /// At the rate, or as fast as the pictures are taken.
    public var pace = Pacing.realtime
    /// The colour range that the pictures have, whatever the file says; nil = what the file says, limited for YUV where it
    /// says nothing.
    public var colorRange: ColorRange?
    /// How many pictures may be held at once before each costs an allocation.
    public var poolCapacity = 8
    /// The largest picture in bytes, so that a header cannot ask for all of the memory. 256 MiB = 8192x8192 in RGBA.
    public var largestFrame = 256 << 20
    /// Where the time comes from.
    public var clock: any FrameClock = SystemClock()

    /// Realtime, once, at the file's own rate.
    public init() {}

    /// As given, and otherwise as by default.
    public init(rate: FrameRate? = nil, loop: Bool = false, pace: Pacing = .realtime, colorRange: ColorRange? = nil) {
        self.rate = rate
        self.loop = loop
        self.pace = pace
        self.colorRange = colorRange
    }
}
