package import FrameStreaming

#if Media
    internal import FrameStreamingMedia
#endif

/// A source that reads an input: it counts what that delivers.
package protocol MeteredSource: FrameSource {
    /// The counts.
    var meter: InputMeter { get }
    /// Whether frames come at the input's own pace.
    var hasOwnPace: Bool { get }
    /// Frames in one pass; nil = not known.
    var frameCount: Int? { get }
}

extension FileSource: MeteredSource {}

#if Media
    extension MediaSource: MeteredSource {
        package var hasOwnPace: Bool { isLive }
        package var frameCount: Int? { nil }
    }
#endif
