internal import FrameStreamingSystem

/// The links of a run that rest, and the newest frame, which waits here for all of them.
///
/// Thousands of receivers may let one frame after another go by without a word. What is done for
/// each of them at each frame comes between the others and the next frame, so nothing is: a link
/// that rests is not offered frames. When something happens to it, it learns here how many it
/// missed, and takes the newest.
final class IdleLinks: Sendable {
    private struct State {
        /// The number of the newest frame of the run; 0 before the first.
        var number: UInt64 = 0
        /// Nil while no link rests: it would be kept from its pool.
        var newest: SharedEncoding?
        var count = 0
        /// Those that were woken since the last frame.
        var woken: [ReceiverLink] = []
        var hasEnded = false
    }

    private let state = Monitor(State())

    /// How many links rest.
    var count: Int { state.withLock { $0.count } }

    /// A frame is going to be offered. Returns its number, and the links that it is to be offered to
    /// again, although they rested.
    func begin(_ frame: SharedEncoding) -> (number: UInt64, woken: [ReceiverLink]) {
        state.withLock { state in
            state.number += 1
            if state.count > 0 { state.newest = frame }
            defer { state.woken = [] }
            return (state.number, state.woken)
        }
    }

    /// A link rests, and the frame that is being offered is the first that it misses.
    func enter(with frame: SharedEncoding) {
        state.withLock { state in
            state.count += 1
            state.newest = frame
        }
    }

    /// How many frames came after the one with this number, to a link that rests.
    func missed(after number: UInt64) -> UInt64 { state.withLock { $0.number - number } }

    /// A link wakes. Returns the number of the newest frame, and that frame.
    func leave(_ link: ReceiverLink) -> (number: UInt64, newest: SharedEncoding?) {
        state.withLock { state in
            state.count -= 1
            let newest = state.newest
            if state.count == 0 { state.newest = nil }
            if !state.hasEnded { state.woken.append(link) }
            return (state.number, newest)
        }
    }

    /// No more frames are offered.
    func end() {
        state.withLock { state in
            state.hasEnded = true
            state.woken = []
        }
    }
}
