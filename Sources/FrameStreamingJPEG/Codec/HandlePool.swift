internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Handles that are used again and again: making one anew costs 4 % of a frame, and each belongs to one thread at a
/// time. There are as many as were ever in use at once.
final class HandlePool<Handle: AnyObject & Sendable>: Sendable {
    private struct State {
        var idle: [Handle] = []
        var made = 0
    }
    private let state = Monitor(State())
    private let make: @Sendable () throws(FrameStreamingError) -> Handle

    init(_ make: @escaping @Sendable () throws(FrameStreamingError) -> Handle) { self.make = make }

    /// A handle that nobody else has until ``giveBack(_:)``.
    func checkOut() throws(FrameStreamingError) -> Handle {
        if let handle = state.withLock({ $0.idle.popLast() }) { return handle }
        let handle = try make()
        state.withLock { $0.made += 1 }
        return handle
    }

    /// Also after an error: a handle is good again after a fatal one.
    func giveBack(_ handle: Handle) {
        state.withLock { $0.idle.append(handle) }
    }

    /// How many were made so far.
    var made: Int { state.withLock { $0.made } }
    /// A sum over those that are idle.
    func sumOfIdle(_ value: (Handle) -> Int) -> Int {
        state.withLock { state in state.idle.reduce(0) { $0 + value($1) } }
    }
}
