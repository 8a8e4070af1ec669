public import FrameStreamingCore
package import FrameStreamingSystem

/// Writes JPEG pictures one after another to a file, as they are.
///
/// Each goes out in one call. A kill in the middle of one leaves those before it whole: ``EncodedFileSource`` and FFmpeg
/// (`-f mjpeg`) read them.
public final class MJPEGRecorder: FrameRecorder {
    /// The file that it writes: the path that was given, or the next one that was free.
    public var path: String { file.path }
    /// Which of the numbered names that is (``RecordingPath/numbered(_:_:)``).
    public var number: Int { file.number }
    /// Pictures written so far.
    public private(set) var frameCount = 0

    private let file: RecordingFile
    private var size: (width: Int, height: Int)?

    /// Makes the file, which no other recorder writes as long as it is open. A recording that is there is kept, and this one has the next
    /// name then, unless `options` say otherwise. A FIFO's reader is waited for, here and when it does not keep up.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - options: What to do where there is a recording already, and whether to sync each frame to the disk.
    ///   - cancellation: Ends such a wait.
    /// - Throws: `alreadyExists`, `busy` where the options refuse a name; `notFound`, `notPermitted`, `system` where the file cannot be made; `cancelled`.
    public init(
        path: String, options: RecordingOptions = RecordingOptions(), cancellation: RecordingCancellation? = nil
    ) throws(FrameStreamingError) {
        file = try RecordingFile(path: path, options, cancellation: cancellation)
    }

    /// Writes to a descriptor that is open and empty.
    package init(_ descriptor: Descriptor, path: String) { file = RecordingFile(descriptor, path: path) }

    /// Whether it is a JPEG of the first one's size: players take the first one's for all.
    public func accepts(_ frame: Frame) -> Bool {
        guard frame.format.pixelFormat == .jpeg else { return false }
        return size.map { $0 == (frame.format.width, frame.format.height) } ?? true
    }

    /// Writes one JPEG.
    ///
    /// - Throws: `unsupported` for other pixel formats, and for a size that is not that of the first; `system` where the disk is full
    ///   or fails; `recordingLost` where another program has removed or changed the file; `cancelled`; `closed` after ``close()``, and where a FIFO has half a picture.
    public func write(_ frame: Frame) throws(FrameStreamingError) {
        guard frame.format.pixelFormat == .jpeg else {
            throw FrameStreamingError(
                .unsupported,
                "MJPEG holds JPEG pictures, not \(frame.format.pixelFormat): encode first, or record Y4M", subject: path
            )
        }
        if let size, !accepts(frame) {
            throw FrameStreamingError(
                .unsupported,
                "an MJPEG file has one size: it began with \(size.width)x\(size.height), and now comes \(frame.format.width)x\(frame.format.height); start another file",
                subject: path)
        }
        try file.append(frame.bytes, RawSpan())
        size = (frame.format.width, frame.format.height)
        frameCount += 1
    }

    /// Closes the file until the next frame, to spare its descriptor; it may not be changed meanwhile. A FIFO or a device stays open.
    public func suspend() {
        file.suspend()
    }

    /// Ends the recording, and removes a file that was made for it and has no frame. Again and again.
    public func close() { file.close() }
}
