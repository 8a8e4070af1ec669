internal import CFFmpeg
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Ends FFmpeg's calls that wait for a network: when the source is stopped, or when no byte has
/// come for too long. FFmpeg asks several times a second.
///
/// Unsafe code: FFmpeg has a pointer to it, and each input that uses it also holds it.
final class MediaInterrupt: Sendable {
    private struct State {
        var isStopped = false
        var limit: Int64?
    }

    private let state = Monitor(State())

    /// Ends every call from now on.
    func stop() { state.update { $0.isStopped = true } }

    /// Whether the source was stopped.
    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Begins to wait for the network, until `limit`; nil = without a limit.
    func begins(until limit: MonotonicTime?) { state.withLock { $0.limit = limit?.nanoseconds } }

    /// Whether FFmpeg's call is to end.
    var isDue: Bool {
        state.withLock { state in state.isStopped || state.limit.map { monotonicNow() >= $0 } ?? false }
    }

    /// Has FFmpeg ask it in every call on this context.
    func attach(to context: UnsafeMutablePointer<AVFormatContext>) {
        unsafe fs_media_interrupt_by(
            context,
            { pointer in
                guard let pointer = unsafe pointer else { return 0 }
                return unsafe Unmanaged<MediaInterrupt>.fromOpaque(pointer).takeUnretainedValue().isDue ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
