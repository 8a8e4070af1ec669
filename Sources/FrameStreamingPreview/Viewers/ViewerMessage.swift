internal import FrameStreamingCore

/// A message to a viewer: its own bytes, and a frame's bytes without a copy.
struct ViewerMessage {
    var head: [UInt8]
    var image: Frame?
    var tail: [UInt8] = []

    var byteCount: Int { head.count + (image?.byteCount ?? 0) + tail.count }
}
