public import FrameStreamingCore

/// How a file or a pipe is played.
public struct PlaybackOptions: Sendable {
    /// Frames per second; nil = the file's rate, or 30 where the file does not state one. It paces
    /// regular files. A pipe has its own pace, which the rate does not change.
    public var rate: FrameRate?
    /// Whether playback restarts at the end. Needs a regular file.
    public var loop = false
    /// At the frame rate, or as fast as the frames are taken. Nil, the default, paces regular files
    /// at their frame rate, and nothing else: frames of a pipe, a FIFO, a socket or a device are
    /// handed out when they arrive.
    public var pace: Pacing?
    /// Whether the newest frame counts, for ``FileSource``: then a thread of its own reads the
    /// input, and a newer frame replaces one that was not taken. Nil, the default, is true for a
    /// device, and for `multipart/x-mixed-replace` that is no regular file, unless ``pace`` is
    /// given. Every frame of anything else is kept until it is taken.
    public var live: Bool?
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

    /// Creates options for playing once, at the file's own rate or the pipe's own pace.
    public init() {}

    /// Creates options with these values, and the defaults for the others.
    public init(
        rate: FrameRate? = nil, loop: Bool = false, pace: Pacing? = nil, live: Bool? = nil,
        colorRange: ColorRange? = nil
    ) {
        self.rate = rate
        self.loop = loop
        self.pace = pace
        self.live = live
        self.colorRange = colorRange
    }

    /// Whether the frames of this input wait until they are due.
    func isPaced(_ input: FileInput) -> Bool { pace == .realtime || pace == nil && !input.hasOwnPace }

    /// The rate that the input is to keep; nil = there is none.
    func statedRate(of input: FileInput, _ rate: FrameRate?) -> FrameRate? {
        if pace == .maximum { return nil }
        return self.rate ?? rate ?? (isPaced(input) ? .thirty : nil)
    }
}
