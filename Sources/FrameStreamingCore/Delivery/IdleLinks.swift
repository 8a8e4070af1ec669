internal import FrameStreamingSystem

/// The links of a run that rest, and the newest frame, which waits here for all of them.
///
/// Thousands of receivers may be connected without ever acknowledging. Work for each of them at
/// each frame would delay the others, so a link that rests is not offered frames. When something
/// happens to it, it learns here how many it missed, and takes the newest.
final class IdleLinks: Sendable {
    private struct State {
        /// The number of the newest frame of the run; 0 before the first.
        var number: UInt64 = 0
        /// Nil while no link rests, so that its buffer can return to the pool.
        var newest: SharedEncoding?
        var count = 0
        /// The links that were woken since the last frame.
        var woken: [ReceiverLink] = []
        var hasEnded = false
    }

    private let state = Monitor(State())

    /// How many links rest.
    var count: Int { state.withLock { $0.count } }

    /// Begins to offer a frame. Returns its number, and the links that were woken
    /// and must be offered frames again.
    func begin(_ frame: SharedEncoding) -> (number: UInt64, woken: [ReceiverLink]) {
        state.withLock { state in
            state.number += 1
            if state.count > 0 { state.newest = frame }
            defer { state.woken = [] }
            return (state.number, state.woken)
        }
    }

    /// Lets a link rest. The frame that is being offered is the first that it misses.
    func enter(with frame: SharedEncoding) {
        state.withLock { state in
            state.count += 1
            state.newest = frame
        }
    }

    /// How many frames after the one with this number a resting link has missed.
    func missed(after number: UInt64) -> UInt64 { state.withLock { $0.number - number } }

    /// Wakes a link. Returns the number of the newest frame, and that frame.
    func leave(_ link: ReceiverLink) -> (number: UInt64, newest: SharedEncoding?) {
        state.withLock { state in
            state.count -= 1
            let newest = state.newest
            if state.count == 0 { state.newest = nil }
            if !state.hasEnded { state.woken.append(link) }
            return (state.number, newest)
        }
    }

    /// Notes that no more frames are offered.
    func end() {
        state.withLock { state in
            state.hasEnded = true
            state.woken = []
        }
    }
}
