public import FrameStreamingCore

/// Stores frames in a file or a directory. One thread at a time may use it.
///
/// When `write` returns, all bytes of the frame are with the kernel, or with
/// ``RecordingOptions/syncsFrames`` on the disk. Only then should the frame be acknowledged as
/// consumed, which asking a `FrameReceiver` for the next one does. After a kill at any moment every
/// frame whose `write` had returned can be read.
public protocol FrameRecorder: AnyObject {
    /// The recording's file or directory: the requested path, or the next free name.
    var path: String { get }
    /// The number of that name (``RecordingPath/numbered(_:_:)``); 1 is the requested path.
    var number: Int { get }
    /// Frames written so far.
    var frameCount: Int { get }

    /// Whether `frame` can follow those before it, which means that it has the format of the first.
    /// If not, start another recording (``RecordingPath/numbered(_:_:)``).
    func accepts(_ frame: Frame) -> Bool

    /// Writes one frame completely.
    ///
    /// - Throws: `unsupported` for a frame that it does not ``accepts(_:)``. `system` where the
    ///   disk is full or fails: the recording then holds the frames before, and may continue.
    ///   `recordingLost` where another program has removed or changed the recording: this frame
    ///   belongs into another one. `closed` after ``close()``.
    func write(_ frame: Frame) throws(FrameStreamingError)

    /// Closes the descriptor until the next `write`, so that an idle recording costs none. The
    /// recording is not locked meanwhile; a `write` that finds it changed throws `recordingLost`.
    func suspend()

    /// Ends the recording, and removes what it created if it has no frame. May be called again.
    func close() throws(FrameStreamingError)
}
