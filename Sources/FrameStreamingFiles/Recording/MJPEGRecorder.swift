public import FrameStreamingCore
package import FrameStreamingSystem

/// Writes JPEG frames one after another to a file, unchanged.
///
/// Each frame is one write. A kill in the middle of one leaves the earlier frames complete:
/// ``EncodedFileSource`` and FFmpeg (`-f mjpeg`) read them.
public final class MJPEGRecorder: FrameRecorder {
    /// The recording's file: the requested path, or the next free name.
    public var path: String { file.path }
    /// The number of that name (``RecordingPath/numbered(_:_:)``).
    public var number: Int { file.number }
    /// Frames written so far.
    public private(set) var frameCount = 0

    private let file: RecordingFile
    private var size: (width: Int, height: Int)?

    /// Creates the file, and locks it while the recorder is open.
    ///
    /// By default an existing recording is kept, and the recorder takes the next free name. For a
    /// FIFO it waits until there is a reader, and whenever that reader does not keep up.
    ///
    /// - Parameters:
    ///   - path: The file; `-` is standard output, which stays open.
    ///   - options: What to do with an existing recording, and whether to sync each frame to the
    ///     disk.
    ///   - cancellation: Ends a wait for a FIFO's reader.
    /// - Throws: `alreadyExists`, `busy` where the options refuse a name; `notFound`,
    ///   `notPermitted`, `system` where the file cannot be created; `cancelled`.
    public init(
        path: String, options: RecordingOptions = RecordingOptions(), cancellation: RecordingCancellation? = nil
    ) throws(FrameStreamingError) {
        file = try RecordingFile(path: path, options, cancellation: cancellation)
    }

    /// Writes to an open and empty descriptor.
    package init(_ descriptor: Descriptor, path: String) { file = RecordingFile(descriptor, path: path) }

    /// Whether the frame is a JPEG of the first one's size. Players use the first frame's size for
    /// all.
    public func accepts(_ frame: Frame) -> Bool {
        guard frame.format.pixelFormat == .jpeg else { return false }
        return size.map { $0 == (frame.format.width, frame.format.height) } ?? true
    }

    /// Writes one JPEG.
    ///
    /// - Throws: `unsupported` for other pixel formats, and for a size other than the first
    ///   frame's; `system` where the disk is full or fails; `recordingLost` where another program
    ///   has removed or changed the file; `cancelled`; `closed` after ``close()``, and where a FIFO
    ///   holds part of a frame.
    public func write(_ frame: Frame) throws(FrameStreamingError) {
        guard frame.format.pixelFormat == .jpeg else {
            throw FrameStreamingError(
                .unsupported,
                "MJPEG holds JPEGs, not \(frame.format.pixelFormat): encode first, or record Y4M", subject: path
            )
        }
        if let size, !accepts(frame) {
            throw FrameStreamingError(
                .unsupported,
                "all pictures of an MJPEG file have one size: the first has \(size.width)x\(size.height), this one \(frame.format.width)x\(frame.format.height); start another file",
                subject: path)
        }
        try file.append(frame.bytes, RawSpan())
        size = (frame.format.width, frame.format.height)
        frameCount += 1
    }

    /// Closes the file's descriptor until the next frame; the file must not change meanwhile. A
    /// FIFO or a device stays open.
    public func suspend() {
        file.suspend()
    }

    /// Ends the recording, and removes a file that it created and that has no frame. May be called
    /// again.
    public func close() { file.close() }
}
