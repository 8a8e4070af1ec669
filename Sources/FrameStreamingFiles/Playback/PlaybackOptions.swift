public import FrameStreamingCore

/// How a file is played.
public struct PlaybackOptions: Sendable {
    /// Frames per second; nil = the file's rate, or 30 where the file does not state one.
    public var rate: FrameRate?
    /// Whether playback restarts at the end. Needs a regular file.
    public var loop = false
    /// At the frame rate, or as fast as the frames are taken.
    public var pace = Pacing.realtime
    /// The colour range of the frames, which overrides the file's; nil = the file's. Where the file
    /// does not state one: limited for Y4M and headerless YUV, full for headerless gray and RGB, as
    /// numpy and FFmpeg have them.
    public var colorRange: ColorRange?
    /// How many frames may be held at once before each costs an allocation.
    public var poolCapacity = 8
    /// The largest frame in bytes, so that a header cannot claim all of the memory. 256 MiB =
    /// 8192x8192 in RGBA.
    public var maximumFrameByteCount = 256 << 20
    /// The source of the time.
    public var clock: any FrameClock = SystemClock()

    /// Creates options for playing once, in real time, at the file's own rate.
    public init() {}

    /// Creates options with these values, and the defaults for the others.
    public init(rate: FrameRate? = nil, loop: Bool = false, pace: Pacing = .realtime, colorRange: ColorRange? = nil) {
        self.rate = rate
        self.loop = loop
        self.pace = pace
        self.colorRange = colorRange
    }
}
