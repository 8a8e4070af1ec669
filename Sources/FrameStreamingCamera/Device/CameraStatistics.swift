/// What a camera delivered, and what it did wrong: all counted from the opening on, over replugs.
public struct CameraStatistics: Hashable, Sendable {
    /// Pictures that were handed out.
    public var frames = 0
    /// Pictures that the driver dropped, by the gaps in its numbers.
    public var driverDrops = 0
    /// Good pictures that were passed over for a newer one.
    public var skipped = 0
    /// Buffers that the driver marked as suspect.
    public var errorBuffers = 0
    /// Raw pictures with fewer bytes than they need, and empty buffers.
    public var shortFrames = 0
    /// Buffers that contradict themselves: an index out of range, more bytes than there is room for.
    public var invalidBuffers = 0
    /// JPEG pictures without an end: dropped, passed or repaired as ``V4L2CameraOptions/truncatedFrames`` says.
    public var truncatedFrames = 0
    /// JPEG buffers without a picture.
    public var corruptFrames = 0
    /// JPEG pictures that rubbish stood before, which was left out.
    public var junkRemoved = 0
    /// JPEG pictures that the Huffman tables were put into.
    public var tablesInserted = 0
    /// Pictures that were copied, because the consumer held every other buffer.
    public var copiedOut = 0
    /// Pictures that libv4lconvert made.
    public var converted = 0
    /// Pictures whose stamp could not be right, and is the time at which they were taken from the driver.
    public var restamped = 0
    /// Times that streaming was stopped and started again.
    public var restarts = 0
    /// Times that the camera was opened again.
    public var reopens = 0

    init() {}
}
