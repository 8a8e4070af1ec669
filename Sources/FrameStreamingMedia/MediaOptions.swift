internal import FrameStreamingCore
public import FrameStreamingFiles

/// How a film or a stream is opened and played.
public struct MediaOptions: Sendable {
    /// Rate, loop, pace, and whether the newest frame counts, as for a `FileSource`. A rate that is
    /// given replaces the film's own time stamps.
    public var playback = PlaybackOptions()
    /// The time in the film at which playback begins, and begins again in a loop.
    public var start = Duration.zero
    /// The largest picture in pixels, so that a header cannot claim all of the memory: 8192x8192.
    public var maximumPixelCount = 1 << 26
    /// How long to wait for a server: for its answer, and then for each next byte.
    public var timeout = Duration.seconds(10)
    /// Whether a live stream that breaks off or ends is connected to again, and not the source's
    /// end: after 0.25 s, then after twice as long each time, up to 5 s.
    public var reconnects = true
    /// Called with what happens to a live stream, for a log. On the thread that reads it.
    public var onEvent: (@Sendable (MediaEvent) -> Void)?

    /// Creates options for playing once, by the film's own time stamps.
    public init() {}

    /// Creates options with these, and the defaults for the others.
    public init(playback: PlaybackOptions, start: Duration = .zero) {
        self.playback = playback
        self.start = start
    }
}
