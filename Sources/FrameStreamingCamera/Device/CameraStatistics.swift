/// Counts of what a camera delivered and of its faults, from the first opening on, across replugs.
public struct CameraStatistics: Hashable, Sendable {
    /// Frames that `next` returned.
    public var frames = 0
    /// Frames that the driver dropped, by the gaps in its sequence numbers.
    public var driverDrops = 0
    /// Good frames that were skipped for a newer one.
    public var skipped = 0
    /// Buffers that the driver marked as suspect.
    public var errorBuffers = 0
    /// Raw frames with too few bytes, and empty buffers.
    public var shortFrames = 0
    /// Inconsistent buffers: an index out of range, or more bytes than the buffer holds.
    public var invalidBuffers = 0
    /// JPEG frames without an end. ``V4L2CameraOptions/truncatedFrames`` says what happens to them.
    public var truncatedFrames = 0
    /// JPEG buffers without an image.
    public var corruptFrames = 0
    /// JPEG frames with bytes in front of the image, which were left out.
    public var junkRemoved = 0
    /// JPEG frames that lacked Huffman tables and got the standard ones.
    public var tablesInserted = 0
    /// Frames that were copied because the consumer held every other buffer.
    public var copiedOut = 0
    /// Frames that libv4lconvert converted.
    public var converted = 0
    /// Frames with an impossible capture timestamp, which was replaced by the time of dequeuing.
    public var restamped = 0
    /// How often streaming was stopped and started again.
    public var restarts = 0
    /// How often the camera was opened again.
    public var reopens = 0

    init() {}
}
