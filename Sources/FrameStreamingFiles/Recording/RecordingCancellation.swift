public import FrameStreamingCore
import FrameStreamingSystem

/// Lets another thread end a recorder's wait for who reads its FIFO. Files are never waited for.
///
/// Once cancelled it stays cancelled: waits that begin later end at once, and what needs none is still written.
public final class RecordingCancellation: Sendable {
    let wakeUp: WakeUp

    /// One that nobody has cancelled yet.
    ///
    /// - Throws: `system` where no descriptor is left.
    public init() throws(FrameStreamingError) {
        do throws(SystemError) { wakeUp = try WakeUp() } catch { throw FrameStreamingError(error) }
    }

    /// Ends every wait of the recorders that were given this, with `cancelled`, within 100 ms. From any thread, again and again.
    public func cancel() { wakeUp.signal() }
}
