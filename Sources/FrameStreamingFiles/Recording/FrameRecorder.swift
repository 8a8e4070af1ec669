public import FrameStreamingCore

/// What keeps pictures: a file or a directory. One thread at a time.
///
/// A `write` that has returned has given all of its bytes to the kernel, or with ``RecordingOptions/syncsFrames`` to the disk: only then
/// should a frame be acknowledged as consumed, as asking a `FrameReceiver` for the next one does.
/// After a kill at any moment every picture whose `write` had returned can be read.
public protocol FrameRecorder: AnyObject {
    /// The file or directory that it writes: the path that was given, or the next one that was free.
    var path: String { get }
    /// Which of the numbered names that is (``RecordingPath/numbered(_:_:)``): 1 is the path that was given.
    var number: Int { get }
    /// Pictures written so far.
    var frameCount: Int { get }

    /// Whether `frame` can go behind those before it: same format as the first. Where not, start another recording
    /// (``RecordingPath/numbered(_:_:)``).
    func accepts(_ frame: Frame) -> Bool

    /// Writes one picture whole.
    ///
    /// - Throws: `unsupported` for one that it does not ``accepts(_:)``, and `system` where the disk is full or fails: the recording
    ///   then holds the pictures before it and may go on. `recordingLost` where another program has removed or changed what was
    ///   written: nothing more goes there, and this picture belongs into another recording. `closed` after ``close()``.
    func write(_ frame: Frame) throws(FrameStreamingError)

    /// Closes what it has open until the next `write`, so that a recording that stands still for long costs no descriptor. It is not
    /// locked meanwhile; a `write` that finds it changed throws `recordingLost`.
    func suspend()

    /// Ends the recording. What was made for it and has no frame is removed. Again and again.
    func close() throws(FrameStreamingError)
}
