internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A receiving connection's part of a ``MemoryBudget``: the bytes of its frames from the first byte
/// read until the frame is consumed.
///
/// It takes from the budget in steps, so that streams of small frames, which have the highest
/// rates, do not contend for the budget's lock.
final class FrameMemoryAccount: Sendable {
    private struct State {
        var held = 0
        /// Bytes that were taken from the budget: `held`, rounded up to steps.
        var reserved = 0
        /// The bytes of each frame, in order; those before `first` were consumed.
        var sizes: [Int] = []
        var first = 0
        /// Frames that were consumed, with any outcome.
        var consumed: UInt64 = 0
    }

    /// How a wait for memory ended.
    enum Outcome { case taken, isOver, timedOut }

    private static let step = 256 << 10

    private let budget: MemoryBudget
    private let number: UInt64
    /// The bytes that the connection may always hold.
    private let largestFrame: Int
    private let state = Monitor(State())

    /// - Parameter maximumFrameByteCount: The largest image; the largest metadata may come with it.
    init(_ budget: MemoryBudget, maximumFrameByteCount: Int) {
        self.budget = budget
        largestFrame = maximumFrameByteCount + Frame.maximumMetadataByteCount
        number = budget.open()
    }

    deinit {
        for wake in budget.close(number, givingBack: state.withLock { $0.reserved }) { wake() }
    }

    /// Bytes that unconsumed frames may take now.
    var share: Int { max(largestFrame, budget.share) }

    /// Bytes of frames that are being read or are not consumed.
    var held: Int { state.withLock { $0.held } }

    /// Takes the next frame's bytes if they are available.
    func take(_ bytes: Int) -> Bool { state.withLock { take(bytes, &$0) } }

    /// Waits for the next frame's bytes and takes them.
    ///
    /// - Parameter isOver: Ends the wait. Evaluated now, after each ``wake()``, and after frames
    ///   were consumed.
    func take(_ bytes: Int, until deadline: Int64?, unless isOver: () -> Bool) -> Outcome {
        let outcome: Outcome? = state.wait(until: deadline) { state in
            if isOver() { return .isOver }
            return take(bytes, &state) ? .taken : nil
        }
        return outcome ?? .timedOut
    }

    /// Counts a frame that takes no memory, because it is dropped.
    func pass() { state.withLock { $0.sizes.append(0) } }

    /// Gives back the bytes of all frames up to this one, which were consumed with any outcome.
    func consumed(through sequence: UInt64) {
        let wakes: [@Sendable () -> Void] = state.update { state in
            while state.consumed < sequence, state.first < state.sizes.count {
                state.held -= state.sizes[state.first]
                state.first += 1
                state.consumed += 1
            }
            if state.first == state.sizes.count || state.first >= 64 {
                state.sizes.removeFirst(state.first)
                state.first = 0
            }
            let spare = state.reserved - Self.roundedUp(state.held)
            guard spare > 0 else { return [] }
            state.reserved -= spare
            return budget.give(spare)
        }
        for wake in wakes { wake() }
    }

    /// Makes a waiting thread check again whether the wait is over.
    func wake() { state.wakeAll() }

    private func take(_ bytes: Int, _ state: inout State) -> Bool {
        let sum = state.held + bytes
        let isFirst = sum <= largestFrame
        guard isFirst || sum <= max(largestFrame, budget.connection) else { return false }
        let more = Self.roundedUp(sum) - state.reserved
        if more > 0 {
            guard budget.take(more, always: isFirst, for: number, wake: { [weak self] in self?.wake() }) else {
                return false
            }
            state.reserved += more
        }
        state.held = sum
        state.sizes.append(bytes)
        return true
    }

    private static func roundedUp(_ bytes: Int) -> Int { (bytes + step - 1) / step * step }
}
