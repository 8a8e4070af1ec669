internal import FrameStreamingSystem

/// A slot for one frame between a thread that makes frames and one that takes the newest: a newer
/// frame replaces one that was not taken. Any threads may put, take and close.
package final class NewestFrameSlot: Sendable {
    private struct State {
        var frame: Frame?
        var isClosed = false
        var replaced = 0
    }

    private let state = Monitor(State())

    /// An empty slot.
    package init() {}

    /// Puts a frame into the slot. Returns whether it replaced one that was not taken.
    /// After ``close()`` it is released.
    @discardableResult
    package func put(_ frame: Frame) -> Bool {
        state.update { state in
            guard !state.isClosed else { return false }
            let replaces = state.frame != nil
            if replaces { state.replaced += 1 }
            state.frame = frame
            return replaces
        }
    }

    /// Takes the frame, waiting for one; nil when the slot was closed and is empty.
    ///
    /// - Throws: `timedOut` if none arrived by the deadline.
    package func take(until deadline: Deadline = .never) throws(FrameStreamingError) -> Frame? {
        let taken: Frame?? = state.wait(until: deadline.nanoseconds) { state in
            if let frame = state.frame {
                state.frame = nil
                return .some(frame)
            }
            return state.isClosed ? .some(nil) : nil
        }
        guard let taken else { throw .timedOut("a frame") }
        return taken
    }

    /// Ends every wait. A frame in the slot may still be taken.
    package func close() { state.update { $0.isClosed = true } }

    /// How many frames were replaced before they were taken.
    package var replaced: Int { state.withLock { $0.replaced } }
}
