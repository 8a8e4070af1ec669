public import FrameStreamingCore
import FrameStreamingSystem

/// Lets another thread end a recorder's wait for the reader of a FIFO. Recorders never wait for
/// files.
///
/// A cancellation is permanent: later waits end at once, and writes that need no wait still
/// succeed.
public final class RecordingCancellation: Sendable {
    let wakeUp: WakeUp

    /// Creates a cancellation that has not been used yet.
    ///
    /// - Throws: `system` when the process has no descriptor left.
    public init() throws(FrameStreamingError) {
        do throws(SystemError) { wakeUp = try WakeUp() } catch { throw FrameStreamingError(error) }
    }

    /// Ends every wait of the recorders that have this cancellation, with `cancelled`, within 100
    /// ms. Any thread may call it, repeatedly.
    public func cancel() { wakeUp.signal() }
}
