public import FrameStreamingCore

/// What keeps pictures: a file or a directory. One thread at a time.
///
/// After a kill at any moment every picture whose `write` had returned can be read.
public protocol FrameRecorder: AnyObject {
    /// The file or directory that it writes.
    var path: String { get }
    /// Pictures written so far.
    var frameCount: Int { get }

    /// Whether `frame` can go behind those before it: same format as the first. Where not, start another recording
    /// (``RecordingPath/numbered(_:_:)``).
    func accepts(_ frame: Frame) -> Bool

    /// Writes one picture whole.
    ///
    /// - Throws: `unsupported` for one that it does not ``accepts(_:)``, and `system` where the disk is full or fails: the recording
    ///   then holds the pictures before it and may go on. `closed` after ``close()``.
    func write(_ frame: Frame) throws(FrameStreamingError)

    /// Ends the recording. Again and again.
    func close() throws(FrameStreamingError)
}
